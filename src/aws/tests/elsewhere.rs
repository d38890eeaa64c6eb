//! Other accounts and Regions: the role is assumed by the first call, and what STS says of it is told.

use jiff::{SignedDuration, Timestamp};

use super::{Aws, Endpoint, ec2_error, heading, instance, page, run};
use crate::model::failure::Kind;
use crate::model::{Elsewhere, Failure};
use crate::ports::{Calls, PhaseLog, Reach, ReadInstances, Trail};

const ROLE: &str = "arn:aws:iam::210987654321:role/member";

fn there() -> Elsewhere {
    Elsewhere {
        role: ROLE.to_owned(),
        external_id: Some("a/secret".to_owned()),
        region: Some("eu-south-2".to_owned()),
    }
}

/// STS's answer: credentials that end so much later.
fn assumed(valid_for: SignedDuration) -> (u16, String) {
    let end = (Timestamp::now() + valid_for).strftime("%Y-%m-%dT%H:%M:%SZ");
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIAMEMBER</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    (200, body)
}

fn refused(code: &str) -> (u16, String) {
    let error = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>said STS</Message></Error></ErrorResponse>"
    );
    (403, error)
}

fn seen() -> (u16, String) {
    page(&[&[instance("i-1", "")]], "")
}

/// Looks, in a run of this name.
async fn look(aws: &Aws, name: &str) -> Result<usize, Failure> {
    let place = there();
    let world = aws.reach(Some(&place), name).await;
    world.instances_by_id(&["i-1".to_owned()]).await.map(|seen| seen.len())
}

#[test]
fn at_home_no_role_is_assumed() {
    let endpoint = Endpoint::new([seen()]);
    let aws = endpoint.aws();
    let found = run(async { aws.reach(None, "monday").await.instances_by_id(&["i-1".to_owned()]).await });
    assert_eq!(found.expect("a page").len(), 1);
    assert!(!endpoint.requests()[0].contains("AssumeRole"));
}

#[test]
fn the_first_call_assumes_the_role_in_the_runs_name_and_the_next_ones_of_the_run_do_not() {
    let hour = SignedDuration::from_hours(1);
    let endpoint = Endpoint::new([assumed(hour), seen(), seen(), assumed(hour), seen()]);
    let aws = endpoint.aws();
    run(async {
        for name in ["monday", "monday", "tuesday"] {
            assert_eq!(look(&aws, name).await, Ok(1), "{name}");
        }
    });
    let requests = endpoint.requests();
    let asked: Vec<&String> =
        requests.iter().filter(|request| request.contains("Action=AssumeRole")).collect();
    assert_eq!((requests.len(), asked.len()), (5, 2));
    for part in ["RoleArn=arn:aws:iam::210987654321:role%2Fmember", "ExternalId=a%2Fsecret", "=monday"] {
        assert!(asked[0].contains(part), "no {part} in {}", asked[0]);
    }
    assert!(asked[1].contains("RoleSessionName=tuesday"));
}

#[test]
fn credentials_that_end_are_asked_for_again_before_they_do() {
    // The SDK takes none that has less than ten seconds left.
    let ending = SignedDuration::from_secs(5);
    let endpoint =
        Endpoint::new([assumed(ending), seen(), assumed(SignedDuration::from_hours(1)), seen(), seen()]);
    let aws = endpoint.aws();
    run(async {
        for _ in 0..3 {
            assert_eq!(look(&aws, "monday").await, Ok(1));
        }
    });
    assert_eq!(endpoint.requests().len(), 5);
}

#[test]
fn a_role_that_sts_refuses_is_named_and_ec2_is_not_asked() {
    for code in ["AccessDenied", "RegionDisabledException"] {
        let endpoint = Endpoint::new([refused(code)]);
        let failure = run(look(&endpoint.aws(), "monday")).expect_err(code);
        assert_eq!((failure.code.as_str(), failure.kind), ("RoleNotAssumed", Kind::Denied));
        assert!(
            failure.message.contains(&format!("{ROLE} could not be assumed: {code}: said STS")),
            "{failure}"
        );
        assert_eq!(endpoint.requests().len(), 1);
    }
}

#[test]
fn credentials_that_end_while_the_role_is_taken_away_fail_by_the_role() {
    let endpoint = Endpoint::new([assumed(SignedDuration::from_secs(5)), seen(), refused("AccessDenied")]);
    let aws = endpoint.aws();
    run(async {
        assert_eq!(look(&aws, "monday").await, Ok(1));
        assert_eq!(look(&aws, "monday").await.expect_err("taken away").code, "RoleNotAssumed");
    });
}

#[test]
fn an_sts_that_does_not_answer_is_awss_own_trouble() {
    let endpoint = Endpoint::new::<String>([]);
    let failure = run(look(&endpoint.aws(), "monday")).expect_err("nobody listens");
    assert_eq!(failure.kind, Kind::Outage, "{failure}");
}

#[test]
fn a_region_that_takes_no_credentials_is_named_and_at_home_it_is_another_trouble() {
    for code in ["AuthFailure", "OptInRequired"] {
        let endpoint = Endpoint::new([assumed(SignedDuration::from_hours(1)), (401, ec2_error(code))]);
        let failure = run(look(&endpoint.aws(), "monday")).expect_err(code);
        assert_eq!((failure.code.as_str(), failure.kind), ("RegionNotEnabled", Kind::Denied));
        assert!(
            failure.message.contains("210987654321, eu-south-2") && failure.message.contains(code),
            "{failure}"
        );
        let endpoint = Endpoint::new([(401, ec2_error(code))]);
        let at_home = run(endpoint.aws().instances_by_id(&["i-1".to_owned()])).expect_err(code);
        assert_eq!(at_home.code, code);
    }
}

#[test]
fn the_place_has_its_region_and_the_phase_log_and_the_counters_stay_at_home() {
    let endpoint = Endpoint::new([(200, "{}".to_owned()), assumed(SignedDuration::from_hours(1)), seen()]);
    let aws = endpoint.aws();
    let place = there();
    run(async {
        let away = aws.reach(Some(&place), "monday").await;
        let region = |config: Option<&aws_sdk_ec2::config::Region>| config.map(ToString::to_string);
        assert_eq!(region(away.ec2.config().region()).as_deref(), Some("eu-south-2"));
        #[cfg(feature = "muting")]
        assert_eq!(region(away.cloudwatch.config().region()).as_deref(), Some("eu-south-2"));
        assert_eq!(region(away.logs.config().region()).as_deref(), Some("eu-west-1"));
        away.write("run", &[heading()]).await.expect("written");
    });
    assert!(!endpoint.requests()[0].contains("AssumeRole"), "the phase log is the stack's own");
    assert_eq!(run(look(&aws, "monday")), Ok(1));
    assert_eq!(aws.calls(), Calls { made: 2, throttled: 0 });
}
