//! The mails of typical runs, letter by letter: `UPDATE_EXPECT=1 make test-fast` writes them anew, and a reviewer
//! reads the difference. `make preview` shows them.

use crate::testkit::typical_runs::{self, TypicalMail};
use expect_test::expect_file;

/// A mail of a thousand rows says nothing that a reviewer would read.
fn are_read(mail: &&TypicalMail) -> bool {
    mail.name != "thousand"
}

#[test]
fn every_typical_mail_is_as_it_was_when_it_was_last_looked_at() {
    for mail in typical_runs::mails().iter().filter(are_read) {
        expect_file![format!("../../../tests/mails/{}.txt", mail.name)].assert_eq(&mail.text);
        expect_file![format!("../../../tests/mails/{}.html", mail.name)].assert_eq(&mail.html);
    }
}

#[test]
fn every_typical_mail_is_at_most_78_columns_wide_but_for_links_and_commands_and_has_texts_that_ec2_says() {
    // What is to be pasted stays whole.
    let is_pasted = |line: &&str| ["  make approve ", "  aws "].iter().any(|start| line.starts_with(start));

    for TypicalMail { name, text, .. } in typical_runs::mails() {
        assert!(!text.contains("said EC2"), "{name}: {text}");
        for line in text.lines().filter(|line| !line.contains("https://") && !is_pasted(line)) {
            assert!(line.chars().count() <= 78, "{name}: {line}");
        }
    }
}
