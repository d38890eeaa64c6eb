//! What the evening check asks: identities of SES, keys of KMS, and EC2's DryRun whatever a server's state is.

use std::collections::BTreeSet;

use super::{Endpoint, ec2_error, ids, run};
use crate::model::failure::Kind;
use crate::ports::{ReadIdentities, ReadKeys, TryChanges};

fn identities(told: &[(&str, &str)]) -> (u16, String) {
    let entries: String = told
        .iter()
        .map(|(identity, status)| {
            format!(
                "<entry><key>{identity}</key><value><VerificationStatus>{status}</VerificationStatus></value></entry>"
            )
        })
        .collect();
    let body = format!(
        "<GetIdentityVerificationAttributesResponse><GetIdentityVerificationAttributesResult>\
         <VerificationAttributes>{entries}</VerificationAttributes>\
         </GetIdentityVerificationAttributesResult></GetIdentityVerificationAttributesResponse>"
    );
    (200, body)
}

fn key(state: &str) -> (u16, String) {
    (200, format!(r#"{{"KeyMetadata":{{"KeyId":"k-1","KeyManager":"CUSTOMER","KeyState":"{state}"}}}}"#))
}

const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/k-1";

#[test]
fn an_identity_is_verified_only_if_ses_says_success() {
    let told = [("a@example.com", "Success"), ("example.com", "Pending"), ("b@example.com", "Failed")];
    let endpoint = Endpoint::new([identities(&told)]);
    let asked = ["a@example.com", "example.com", "b@example.com", "c@example.com"].map(str::to_owned);
    let verified = run(endpoint.aws().verified(&asked)).expect("an answer");
    assert_eq!(verified, BTreeSet::from(["a@example.com".to_owned()]));
    let request = &endpoint.requests()[0];
    assert!(request.contains("Action=GetIdentityVerificationAttributes"), "{request}");
    assert!(request.contains("Identities.member.4=c%40example.com"), "{request}");
}

#[test]
fn ses_is_asked_for_a_hundred_identities_a_call() {
    let asked: Vec<String> = (0..101).map(|number| format!("{number}@example.com")).collect();
    let endpoint = Endpoint::new([identities(&[]), identities(&[("100@example.com", "Success")])]);
    let verified = run(endpoint.aws().verified(&asked)).expect("two answers");
    assert_eq!((verified.len(), endpoint.requests().len()), (1, 2));
}

#[test]
fn a_key_says_its_state() {
    for state in ["Enabled", "Disabled", "PendingDeletion", "PendingImport", "Unavailable"] {
        let endpoint = Endpoint::new([key(state)]);
        assert_eq!(run(endpoint.aws().key(KEY)).expect("a key").state, state);
        assert!(endpoint.requests()[0].contains(KEY));
    }
}

#[test]
fn a_key_without_a_state_is_none_that_works() {
    let endpoint = Endpoint::new([(200, r#"{"KeyMetadata":{"KeyId":"k-1"}}"#)]);
    assert_eq!(run(endpoint.aws().key(KEY)).expect_err("no state").kind, Kind::Outage);
}

#[test]
fn a_key_that_may_not_be_looked_at_is_denied_and_one_that_is_gone_is_not_found() {
    for (code, kind) in [("AccessDeniedException", Kind::Denied), ("NotFoundException", Kind::Final)] {
        let body = format!(r#"{{"__type":"{code}","message":"said KMS"}}"#);
        let endpoint = Endpoint::new([(400, body)]);
        let failure = run(endpoint.aws().key(KEY)).expect_err("an error");
        assert_eq!(
            (failure.operation, failure.code.as_str(), failure.kind),
            (Some("DescribeKey"), code, kind)
        );
    }
}

#[test]
fn a_dry_run_of_a_start_changes_nothing_and_a_denied_one_is_told() {
    let endpoint =
        Endpoint::new([(412, ec2_error("DryRunOperation")), (403, ec2_error("UnauthorizedOperation"))]);
    let aws = endpoint.aws();
    assert_eq!(run(aws.try_start(&ids(1))), Ok(()));
    assert_eq!(run(aws.try_start(&ids(1))).expect_err("denied").kind, Kind::Denied);
    assert!(endpoint.requests().iter().all(|request| request.contains("DryRun=true")));
}
