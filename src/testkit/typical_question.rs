//! The mails that ask a person: about a stop this evening, and about a start until tomorrow.

use crate::model::Action;
use crate::ports::Mail;
use crate::report::question::{Asking, Question};
use crate::servers::approve::Silence;
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::seven;

use super::typical_runs::{TypicalMail, execution, place, zone};

/// Both.
pub(crate) fn mails() -> Vec<TypicalMail> {
    vec![
        mail("question", Action::Stop, 60, Silence::LeaveAlone),
        mail("question-until-tomorrow", Action::Start, 1440, Silence::GoOn),
    ]
}

fn mail(name: &'static str, action: Action, minutes: u32, silence: Silence) -> TypicalMail {
    let lists = ServerLists::parse(include_str!("../../tests/servers.toml")).unwrap();
    let ask = Question { token: token(), environment: "preprod".to_owned(), action, minutes, silence };
    let asking = Asking { ask, execution: execution(action) };
    let Mail { subject, html, text } = asking.mail(&lists, &zone(), &place(), seven());
    TypicalMail { name, subject, html, text }
}

/// As long as Step Functions' are, with their letters.
fn token() -> String {
    format!("AQCEAAAAKgAAAAMAAAAA{}a+/Q=", "k7Xw2bT9/Zr4+Qm1".repeat(40))
}
