//! A hostile edge: a foreign resume, a file that cannot be used, recipients that SES refuses.

use serde_json::{Value, json};

use super::{answer, settings};
use crate::lambda::settings::Addresses;
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::{HANGS, World, stopped};

const DATABASES: [&str; 3] = ["test2", "test7", "test8"];

fn phase(number: u32, action: &str, resume: Value) -> Value {
    json!({"phase_number": number, "next_phase": true, "action": action, "cw_log_phase": "x", "send_mail": false, "resume": resume})
}

fn report() -> Value {
    json!({"send_mail": true, "action": "start", "results": []})
}

fn resume() -> Value {
    let at = "2026-11-23T06:00:00Z";
    let bucket = json!({"tokens": 5.0, "at": at});
    json!({"phase_number": 3, "action": "start", "began_at": at, "initial_state": {"empty": true}, "servers": {},
           "members_since": at, "buckets": {"requests": bucket, "instances": bucket}})
}

fn refusal(world: &World, payload: Value) -> String {
    let error = answer(world, &settings(), payload).unwrap_err();
    assert_eq!(error.name(), "InvalidPayload");
    assert!(world.calls.borrow().is_empty(), "EC2 was asked");
    error.to_string()
}

#[test]
fn a_resume_of_this_phase_and_action_is_taken() {
    let world = World::new(DATABASES.map(stopped));
    let answer = answer(&world, &settings(), phase(3, "start", resume())).unwrap();
    assert_eq!(answer["outcome"], "ready");
}

#[test]
fn a_resume_of_another_phase_or_action_is_refused_and_nothing_is_asked() {
    let world = World::new(DATABASES.map(stopped));
    assert!(refusal(&world, phase(4, "start", resume())).contains("of this phase_number"));
    assert!(refusal(&world, phase(3, "stop", resume())).contains("of this action"));
}

#[test]
fn what_is_to_be_skipped_is_refused_for_what_would_be_refused_if_it_ran() {
    let world = World::new([]);
    let skip = |number, resume| {
        let mut payload = phase(number, "start", resume);
        payload["next_phase"] = json!(false);
        payload
    };
    for (number, resume) in [(3, Value::Null), (3, resume())] {
        assert_eq!(answer(&world, &settings(), skip(number, resume)).unwrap()["outcome"], "skipped");
    }
    assert!(refusal(&world, skip(77, Value::Null)).contains("`phase_number`: expected one of 0, 1"));
    assert!(refusal(&world, skip(4, resume())).contains("of this phase_number"));
}

#[test]
fn a_resume_with_times_or_tokens_that_cannot_be_is_refused() {
    let world = World::new(DATABASES.map(stopped));
    for (place, value, what) in [
        ("/began_at", json!("9999-01-01T00:00:00Z"), "times"),
        ("/began_at", json!("2001-01-01T00:00:00Z"), "times"),
        ("/buckets/requests/at", json!("9999-01-01T00:00:00Z"), "times"),
        ("/buckets/requests/tokens", json!(-1e12), "token counts"),
        ("/buckets/instances/tokens", json!(1e300), "token counts"),
    ] {
        let mut resume = resume();
        *resume.pointer_mut(place).unwrap() = value;
        let said = refusal(&world, phase(3, "start", resume));
        assert!(said.contains(what), "{place}: {said}");
    }
}

#[test]
fn a_servers_file_that_cannot_be_used_fails_every_phase_and_is_still_mailed() {
    let mut settings = settings();
    settings.lists = ServerLists::parse("[[list]]\nnumber = 1\n");
    let world = World::new([]);
    let error = answer(&world, &settings, phase(3, "start", Value::Null)).unwrap_err();
    assert_eq!(error.name(), "InvalidServersFile");
    let answer = answer(&world, &settings, report()).unwrap();
    assert_eq!(
        (answer["status"].as_str(), answer["problems"][0]["code"].as_str()),
        (Some("ABORTED"), Some("InvalidServersFile"))
    );
    assert!(world.mails.borrow()[0].text.contains("servers.toml"));
}

#[test]
fn what_is_only_about_the_mail_keeps_no_phase_from_running() {
    let mut settings = settings();
    settings.mail = Err("\"ops@example.com.\" is not a mail address".to_owned());
    let world = World::new(DATABASES.map(stopped));
    assert_eq!(answer(&world, &settings, phase(3, "start", Value::Null)).unwrap()["outcome"], "ready");
    assert_eq!(answer(&world, &settings, report()).unwrap_err().name(), "Misconfigured");
}

#[test]
fn a_recipient_whom_ses_refuses_does_not_cost_the_others_their_mail() {
    let mut settings = settings();
    let recipients = ["a@example.com", "bad@example.com", "b@example.com"].map(str::to_owned).to_vec();
    settings.mail = Ok(Addresses { sender: "from@example.com".to_owned(), recipients });
    let world = World::new(DATABASES.map(stopped));
    world.refused_recipients.borrow_mut().insert("bad@example.com".to_owned());
    let answer = answer(&world, &settings, report()).unwrap();
    assert_eq!(answer["mail"]["to"], json!(["a@example.com", "b@example.com"]));
    assert_eq!(answer["mail"]["refused"][0]["to"], "bad@example.com");
    assert!(answer["mail"]["refused"][0]["error"].as_str().unwrap().contains("MessageRejected"));
}

#[test]
fn a_mail_that_nobody_gets_is_rejected_and_a_lost_answer_is_not_asked_for_again() {
    let world = World::new([]);
    world.refused_recipients.borrow_mut().insert("platform@example.com".to_owned());
    assert_eq!(answer(&world, &settings(), report()).unwrap_err().name(), "MailRejected");
    for (code, name) in [
        ("AwsUnreachable", "MailRejected"),
        ("ServiceUnavailable", "AwsUnreachable"),
        ("Throttling", "Throttled"),
    ] {
        let world = World::new([]);
        world.fail_next("SendEmail", code, 1);
        assert_eq!(answer(&world, &settings(), report()).unwrap_err().name(), name);
        assert_eq!(world.calls_of("SendEmail").len(), 1, "{code}");
    }
}

#[test]
fn a_silent_ec2_costs_the_report_two_minutes_and_not_its_mail() {
    let world = World::new(DATABASES.map(stopped));
    world.fail_next("DescribeInstances", HANGS, 1_000_000);
    let answer = answer(&world, &settings(), report()).unwrap();
    assert_eq!((world.mails.borrow().len(), answer["mail"]["message_id"].as_str()), (1, Some("message-1")));
    assert!(world.seconds() <= 125, "{} s", world.seconds());
    assert!(answer["remarks"].to_string().contains("are unknown"), "{}", answer["remarks"]);
}
