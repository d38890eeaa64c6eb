//! A person is asked by one mail at most: what may have reached somebody is no error that passes.

use serde_json::{Value, json};

use super::{answer, settings};
use crate::lambda::settings::Addresses;
use crate::testkit::small_ec2::World;

/// What the state machine tries a question again for, of what the function says (machine/task.rs).
const TRIED_AGAIN: [&str; 2] = ["Throttled", "AwsUnreachable"];

fn ask() -> Value {
    json!({
        "ask": {
            "token": "AQC", "environment": "preprod", "action": "stop", "minutes": 60, "silence": "go on"
        },
        "execution": { "id": "arn", "name": "run-1", "start_time": "2026-11-23T06:00:00Z" }
    })
}

#[test]
fn a_question_is_one_mail_to_all() {
    let world = World::new([]);
    let asked = answer(&world, &settings(), ask()).unwrap();
    assert_eq!(asked["asked"], "preprod");
    assert_eq!((world.calls_of("SendEmail").len(), world.mails.borrow().len()), (1, 1));
}

#[test]
fn a_question_whose_answer_was_lost_is_not_asked_again_and_one_that_ses_did_not_take_is() {
    for (code, name) in [
        ("AwsUnreachable", "MailRejected"),
        ("MessageRejected", "MailRejected"),
        ("AccessDenied", "MailRejected"),
        ("ServiceUnavailable", "AwsUnreachable"),
        ("Throttling", "Throttled"),
    ] {
        let world = World::new([]);
        world.fail_next("SendEmail", code, 1);
        let said = answer(&world, &settings(), ask()).unwrap_err().name();
        assert_eq!(said, name, "{code}");
        let may_have_been_sent = code == "AwsUnreachable";
        assert!(!(may_have_been_sent && TRIED_AGAIN.contains(&said)), "{code}");
        assert!(world.mails.borrow().is_empty(), "{code}");
    }
}

#[test]
fn once_one_of_several_has_been_asked_no_error_of_the_others_asks_again() {
    let mut settings = settings();
    let recipients = ["bad@example.com", "a@example.com"].map(str::to_owned).to_vec();
    settings.mail = Ok(Addresses { sender: "from@example.com".to_owned(), recipients });
    let world = World::new([]);
    world.refused_recipients.borrow_mut().insert("bad@example.com".to_owned());
    let asked = answer(&world, &settings, ask()).unwrap();
    assert_eq!(asked["mail"]["to"], json!(["a@example.com"]));
    // All together were refused, and then each: nobody knows of the last one, so nobody is asked again.
    let world = World::new([]);
    world.fail_next("SendEmail", "MessageRejected", 2);
    world.fail_next("SendEmail", "AwsUnreachable", 1);
    let said = answer(&world, &settings, ask()).unwrap_err().name();
    assert_eq!((said, world.calls_of("SendEmail").len()), ("MailRejected", 3));
}
