//! The adapters against answers as they come over HTTP, from a small server on 127.0.0.1.

mod check;
#[cfg(feature = "muting")]
mod cloudwatch;
mod elsewhere;
#[cfg(feature = "events")]
mod eventbridge;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;

use super::clients::one_attempt;
use super::{Aws, LambdaClock};
use crate::model::failure::Kind;
use crate::model::{Check, InstanceState, StopKind};
use crate::ports::{
    Calls, ChangeInstances, LogLine, Mail, PhaseLog, ReadInstances, Selection, SendMail, Trail, TryChanges,
};

/// A server that gives the next of its answers to each request, and remembers what was asked.
struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Endpoint {
    fn new<B: Into<Vec<u8>>>(answers: impl IntoIterator<Item = (u16, B)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut answers: VecDeque<(u16, Vec<u8>)> =
            answers.into_iter().map(|(status, body)| (status, body.into())).collect();
        let seen = Arc::clone(&requests);
        // It ends with its last answer.
        std::thread::spawn(move || {
            while let Some((status, body)) = answers.pop_front() {
                let Ok((mut stream, _)) = listener.accept() else { return };
                // Remembered before it is answered: whoever has the answer may look at once.
                seen.lock().expect("no panic while it was held").push(request(&stream));
                answer(&mut stream, status, &body);
            }
        });
        Self { url, requests }
    }

    /// The requests' bodies, with the characters that the tests look for unescaped.
    fn requests(&self) -> Vec<String> {
        let readable = |body: Vec<u8>| {
            String::from_utf8_lossy(&body).replace("%3A", ":").replace("%5C", "\\").replace("%2A", "*")
        };
        self.bodies().into_iter().map(readable).collect()
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        self.requests.lock().expect("no panic while it was held").clone()
    }

    fn aws(&self) -> Aws {
        let credentials =
            Credentials::builder().provider_name("test").access_key_id("a").secret_access_key("b").build();
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-west-1"))
            .endpoint_url(&self.url)
            .http_client(http)
            .time_source(LambdaClock::REAL)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Aws::new(&config, Some("phases".to_owned()), None, LambdaClock::REAL)
    }
}

/// One request's body.
fn request(stream: &TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap_or_default();
    body
}

fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap_or_default();
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn ec2_error(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>said EC2</Message></Error></Errors></Response>"
    )
}

fn instance(id: &str, more: &str) -> String {
    format!(
        "<item><instanceId>{id}</instanceId><instanceState><name>running</name></instanceState>{more}</item>"
    )
}

/// Each inner slice is a reservation.
fn page(reservations: &[&[String]], next: &str) -> (u16, String) {
    let reservations: String = reservations
        .iter()
        .map(|instances| format!("<item><instancesSet>{}</instancesSet></item>", instances.concat()))
        .collect();
    let next = if next.is_empty() { String::new() } else { format!("<nextToken>{next}</nextToken>") };
    let body = format!(
        "<DescribeInstancesResponse><reservationSet>{reservations}</reservationSet>{next}</DescribeInstancesResponse>"
    );
    (200, body)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("web{number}")).collect()
}

fn heading() -> LogLine {
    let text = "STARTING".to_owned();
    LogLine { at: jiff::Timestamp::UNIX_EPOCH, phase: "dev db".to_owned(), server: None, text }
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("i-{number:017x}")).collect()
}

#[test]
fn every_page_and_every_reservation_is_read() {
    let endpoint = Endpoint::new([
        page(&[&[instance("i-1", "")], &[instance("i-2", ""), instance("i-3", "")]], "more"),
        page(&[&[instance("i-4", "")]], ""),
    ]);
    let names = names(1);
    let selection = Selection { names: &names, tags: &BTreeMap::new() };
    let found = run(endpoint.aws().instances(selection)).expect("two pages");
    let ids: Vec<&str> = found.iter().map(|instance| instance.id.as_str()).collect();
    assert_eq!(ids, ["i-1", "i-2", "i-3", "i-4"]);
    let requests = endpoint.requests();
    assert!(requests[0].contains("MaxResults=200"), "{}", requests[0]);
    assert!(requests[1].contains("NextToken=more"), "{}", requests[1]);
}

#[test]
fn a_call_has_two_hundred_filter_values_at_most_all_filters_together() {
    let endpoint = Endpoint::new([page(&[], ""), page(&[], ""), page(&[], "")]);
    // Four states and a hundred and twenty tags leave 76 names a call.
    let mut names = names(153);
    names[0] = r"a*b?c\d".to_owned();
    let tags: BTreeMap<String, String> =
        (0..120).map(|number| (format!("Environment{number}"), "dev".to_owned())).collect();
    run(endpoint.aws().instances(Selection { names: &names, tags: &tags })).expect("three calls");
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 3);
    let all = requests.concat();
    assert!(all.contains(r"a\*b\%3Fc\\d"), "wildcards are not escaped: {}", &all[..200]);
    for request in &requests {
        let values = request.matches(".Value.").count();
        assert!(values <= 200, "{values} filter values in a call");
        assert!(request.contains("instance-state-name") && !request.contains("terminated"));
        assert!(request.contains("tag:Environment119") && request.contains("tag:Name"));
    }
}

#[test]
fn an_answer_is_about_a_hundred_servers_at_most_whether_asked_by_name_or_by_id() {
    let endpoint = || Endpoint::new([page(&[], ""), page(&[], ""), page(&[], "")]);
    let (by_name, by_id) = (endpoint(), endpoint());
    let (names, tags) = (names(201), BTreeMap::new());
    run(by_name.aws().instances(Selection { names: &names, tags: &tags })).expect("three calls");
    run(by_id.aws().instances_by_id(&ids(201))).expect("three calls");
    for (endpoint, servers) in [(by_name, "=web"), (by_id, "=i-0")] {
        let asked: Vec<usize> =
            endpoint.requests().iter().map(|request| request.matches(servers).count()).collect();
        assert_eq!(asked, [100, 100, 1]);
    }
}

#[test]
fn the_name_is_found_wherever_it_stands_among_the_tags_and_so_is_all_that_a_plan_needs() {
    let tags = "<tagSet><item><key>Owner</key><value>me</value></item>\
        <item><key>ec2-start-stop:hold</key><value>forever</value></item>\
        <item><key>aws:autoscaling:groupName</key><value>web</value></item>\
        <item><key>Name</key><value>web0</value></item></tagSet>\
        <launchTime>2026-11-21T07:00:00.000Z</launchTime>\
        <reason>User initiated (2026-11-20 19:01:02 GMT)</reason>\
        <stateReason><code>Client.UserInitiatedShutdown</code><message>said EC2</message></stateReason>\
        <operator><managed>true</managed><principal>eks.amazonaws.com</principal></operator>\
        <rootDeviceType>instance-store</rootDeviceType><instanceType>m7g.large</instanceType>\
        <placement><availabilityZone>eu-west-1b</availabilityZone></placement>";
    let endpoint = Endpoint::new([page(&[&[instance("i-1", tags)]], "")]);
    let names = names(1);
    let found =
        run(endpoint.aws().instances(Selection { names: &names, tags: &BTreeMap::new() })).expect("a page");
    let instance = &found[0];
    assert_eq!(instance.name.as_deref(), Some("web0"));
    assert_eq!(instance.state, InstanceState::Running);
    assert_eq!(instance.hold.as_deref(), Some("forever"));
    assert_eq!(instance.auto_scaling_group.as_deref(), Some("web"));
    assert_eq!(instance.operator.as_deref(), Some("eks.amazonaws.com"));
    assert!(instance.instance_store_root && !instance.one_time_spot);
    assert_eq!(instance.launch_time.map(|at| at.to_string()).as_deref(), Some("2026-11-21T07:00:00Z"));
    assert_eq!(instance.stopped_at.map(|at| at.to_string()).as_deref(), Some("2026-11-20T19:01:02Z"));
    assert_eq!(instance.availability_zone, "eu-west-1b");
}

#[test]
fn a_spot_instance_costs_one_more_call_that_tells_whether_it_is_one_time() {
    let spot =
        "<instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>sir-1</spotInstanceRequestId>";
    let requests = "<DescribeSpotInstanceRequestsResponse><spotInstanceRequestSet><item>\
        <spotInstanceRequestId>sir-1</spotInstanceRequestId><type>one-time</type>\
        </item></spotInstanceRequestSet></DescribeSpotInstanceRequestsResponse>";
    let endpoint = Endpoint::new([page(&[&[instance("i-1", spot)]], ""), (200, requests.to_owned())]);
    let names = names(1);
    let found = run(endpoint.aws().instances(Selection { names: &names, tags: &BTreeMap::new() }))
        .expect("two calls");
    assert!(found[0].one_time_spot);
}

#[test]
fn status_checks_are_asked_a_hundred_a_call_with_all_instances_and_a_missing_one_stays_missing() {
    let summary = |name: &str, word: &str| format!("<{name}><status>{word}</status></{name}>");
    let status = format!(
        "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-1</instanceId>{}{}</item>\
         </instanceStatusSet></DescribeInstanceStatusResponse>",
        summary("instanceStatus", "ok"),
        summary("systemStatus", "insufficient-data"),
    );
    let empty = "<DescribeInstanceStatusResponse><instanceStatusSet/></DescribeInstanceStatusResponse>";
    let endpoint = Endpoint::new([(200, status), (200, empty.to_owned())]);
    let found = run(endpoint.aws().status_checks(&ids(101))).expect("two calls");
    assert_eq!(found["i-1"].instance, Check::Ok);
    assert_eq!(found["i-1"].system, Check::Not("insufficient-data".to_owned()));
    assert_eq!(found["i-1"].attached_ebs, Check::Missing);
    assert_eq!(found.len(), 1);
    for request in endpoint.requests() {
        assert!(request.contains("IncludeAllInstances=true") && !request.contains("InstanceId.101"));
    }
}

#[test]
fn the_keys_of_encrypted_volumes_are_each_named_once() {
    let key = "<kmsKeyId>arn:aws:kms:eu-west-1:123456789012:key/k-1</kmsKeyId>";
    let of = |id: &str| format!("<attachmentSet><item><instanceId>{id}</instanceId></item></attachmentSet>");
    let (ours, others) = (of("i-1"), of("i-9"));
    let volumes = format!(
        "<item><volumeId>vol-1</volumeId>{ours}</item><item>{key}{ours}</item><item>{key}{ours}</item>\
         <item>{key}{others}</item>"
    );
    let body = format!("<DescribeVolumesResponse><volumeSet>{volumes}</volumeSet></DescribeVolumesResponse>");
    let endpoint = Endpoint::new([(200, body)]);
    let keys = run(endpoint.aws().volume_keys(&["i-1".to_owned()])).expect("a page of volumes");
    let whose = BTreeSet::from(["i-1".to_owned()]);
    assert_eq!(keys, BTreeMap::from([("arn:aws:kms:eu-west-1:123456789012:key/k-1".to_owned(), whose)]));
    assert!(endpoint.requests()[0].contains("attachment.instance-id"));
}

#[test]
fn each_code_of_ec2_comes_through_with_its_message_and_is_not_retried_unseen() {
    for (status, code) in [
        (400, "InvalidInstanceID.NotFound"),
        (400, "InvalidInstanceID.Malformed"),
        (400, "IncorrectInstanceState"),
        (500, "InsufficientInstanceCapacity"),
        (400, "VcpuLimitExceeded"),
        (400, "InstanceLimitExceeded"),
        (400, "InsufficientHostCapacity"),
        (400, "IncorrectSpotRequestState"),
        (400, "UnsupportedOperation"),
        (400, "OperationNotPermitted"),
        (403, "UnauthorizedOperation"),
        (503, "RequestLimitExceeded"),
        (500, "InternalError"),
    ] {
        let endpoint = Endpoint::new([(status, ec2_error(code)), (200, String::new())]);
        let error = run(endpoint.aws().start(&ids(1))).expect_err(code);
        assert_eq!((error.operation, error.code.as_str()), (Some("StartInstances"), code));
        assert_eq!(error.message, "said EC2");
        assert_eq!(endpoint.requests().len(), 1, "{code} was retried by the SDK");
    }
}

#[test]
fn a_dry_run_that_would_have_succeeded_is_a_success() {
    let endpoint = Endpoint::new([(412, ec2_error("DryRunOperation"))]);
    assert_eq!(run(endpoint.aws().try_stop(&ids(2))), Ok(()));
    assert!(endpoint.requests()[0].contains("DryRun=true"));
}

#[test]
fn every_attempt_is_counted_and_a_refusal_for_too_many_requests_is_a_throttle() {
    let throttled = r#"{"__type":"ThrottlingException","message":"slow down"}"#.to_owned();
    let endpoint = Endpoint::new([
        (503, ec2_error("RequestLimitExceeded")),
        (500, ec2_error("InsufficientInstanceCapacity")),
        (400, throttled),
        (200, "{}".to_owned()),
    ]);
    let aws = endpoint.aws();
    assert_eq!(aws.calls(), Calls::default());
    run(aws.start(&ids(1))).expect_err("throttled");
    assert_eq!(aws.calls(), Calls { made: 1, throttled: 1 });
    run(aws.start(&ids(1))).expect_err("no capacity");
    assert_eq!(aws.calls(), Calls { made: 1, throttled: 0 });
    run(aws.write("run", &[heading()])).expect("the SDK repeats it by itself");
    assert_eq!(aws.calls(), Calls { made: 2, throttled: 1 });
}

#[test]
fn a_stop_is_forced_only_when_it_is_told_so() {
    let stopped = || (200, "<StopInstancesResponse><instancesSet/></StopInstancesResponse>".to_owned());
    let endpoint = Endpoint::new([stopped(), stopped()]);
    let aws = endpoint.aws();
    run(aws.stop(&ids(1), StopKind::Graceful)).expect("graceful");
    run(aws.stop(&ids(1), StopKind::Force)).expect("forced");
    let requests = endpoint.requests();
    assert!(!requests[0].contains("Force=true") && requests[1].contains("Force=true"));
}

#[test]
fn no_answer_of_aws_is_unreachable() {
    let endpoint = Endpoint::new::<String>([]);
    let error = run(endpoint.aws().start(&ids(1))).expect_err("nobody listens");
    assert_eq!((error.code.as_str(), error.kind), ("AwsUnreachable", Kind::Outage));
}

#[test]
fn the_clients_config_has_no_hidden_retries() {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).build();
    assert_eq!(one_attempt(&config).build().retry_config().map(|retries| retries.max_attempts()), Some(1));
}

#[test]
fn a_stream_that_is_not_there_is_made_and_the_lines_are_written() {
    let missing =
        r#"{"__type":"ResourceNotFoundException","message":"The specified log stream does not exist."}"#;
    let endpoint = Endpoint::new([(400, missing.to_owned()), (200, "{}".to_owned()), (200, "{}".to_owned())]);
    let line = heading();
    run(endpoint.aws().write("run-1", &[line])).expect("the stream is made");
    let requests = endpoint.requests();
    assert!(requests[1].contains("run-1") && !requests[1].contains("STARTING"));
    assert!(requests[2].contains("STARTING"));
}

#[test]
fn events_that_cloudwatch_rejects_one_by_one_are_noticed() {
    let rejected = r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}"#;
    let endpoint = Endpoint::new([(200, rejected.to_owned())]);
    let line = heading();
    let error = run(endpoint.aws().write("run-1", &[line])).expect_err("rejected");
    assert_eq!(error.code, "RejectedLogEvents");
}

#[test]
fn a_mail_is_sent_to_everyone_with_both_bodies() {
    let sent = "<SendEmailResponse><SendEmailResult><MessageId>m-1</MessageId></SendEmailResult></SendEmailResponse>";
    let endpoint = Endpoint::new([(200, sent.to_owned())]);
    let mail = Mail {
        subject: "START STATUS: SUCCESS".to_owned(),
        text: "plain".to_owned(),
        html: "rich".to_owned(),
    };
    let to = ["a@example.com".to_owned(), "b@example.com".to_owned()];
    let id = run(endpoint.aws().send("from@example.com", &to, &mail)).expect("sent");
    assert_eq!(id, "m-1");
    let request = &endpoint.requests()[0];
    for part in ["ToAddresses.member.2=b%40example.com", "Text.Data=plain", "Html.Data=rich"] {
        assert!(request.contains(part), "no {part} in {request}");
    }
}

#[test]
fn ids_are_asked_by_a_filter_so_that_one_that_is_not_known_spoils_nothing() {
    let endpoint = Endpoint::new([page(&[&[instance("i-1", "")]], "")]);
    let found = run(endpoint.aws().instances_by_id(&ids(2))).expect("a page");
    assert_eq!(found.len(), 1);
    let request = &endpoint.requests()[0];
    assert!(
        request.contains("instance-id")
            && !request.contains("instance-state-name")
            && !request.contains("InstanceId.1")
    );
}

#[test]
fn a_state_that_nobody_knows_comes_through_by_its_word() {
    let odd = "<item><instanceId>i-1</instanceId><instanceState><name>hovering</name></instanceState></item>"
        .to_owned();
    let endpoint = Endpoint::new([page(&[&[odd]], "")]);
    let found = run(endpoint.aws().instances_by_id(&ids(1))).expect("a page");
    assert_eq!((found[0].state, found[0].state_word()), (InstanceState::Unknown, "hovering"));
}

#[test]
fn a_5xx_without_a_known_code_is_awss_own_trouble() {
    for (status, body) in [(500, ec2_error("Unheard.Of")), (503, "<html>busy</html>".to_owned())] {
        let endpoint = Endpoint::new([(status, body)]);
        let failure = run(endpoint.aws().start(&ids(1))).expect_err("5xx");
        assert_eq!(failure.kind, Kind::Outage, "{failure}");
    }
}

/// Nobody answers there: connections are taken and left alone.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

#[test]
fn a_phase_log_that_never_answers_is_given_up_after_three_seconds() {
    let (_listener, url) = silent();
    let endpoint = Endpoint { url, requests: Arc::default() };
    let began = std::time::Instant::now();
    let failure = run(endpoint.aws().write("run-1", &[heading()])).expect_err("nobody answers");
    assert_eq!(failure.kind, Kind::Outage);
    assert!(began.elapsed() >= std::time::Duration::from_secs(3));
}

#[test]
fn a_mail_whose_answer_is_lost_is_sent_once() {
    let endpoint = Endpoint::new([(500, ses_error("InternalFailure")), (200, String::new())]);
    let mail = Mail { subject: String::new(), text: String::new(), html: String::new() };
    run(endpoint.aws().send("from@example.com", &["a@example.com".to_owned()], &mail))
        .expect_err("no answer");
    assert_eq!(endpoint.requests().len(), 1);
}

fn ses_error(code: &str) -> String {
    format!("<ErrorResponse><Error><Code>{code}</Code><Message>said SES</Message></Error></ErrorResponse>")
}
