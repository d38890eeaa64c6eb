//! The mails of typical runs, letter by letter: `UPDATE_EXPECT=1 make test-fast` writes them anew, and a reviewer
//! reads the difference. `make preview` shows them.

use crate::testkit::typical_runs::{self, Run};
use expect_test::expect_file;

/// A mail of a thousand rows says nothing that a reviewer would read.
fn are_read(run: &&Run) -> bool {
    run.name != "thousand"
}

#[test]
fn every_typical_mail_is_as_it_was_when_it_was_last_looked_at() {
    for run in typical_runs::all().iter().filter(are_read) {
        let mail = run.mail();
        expect_file![format!("../../../tests/mails/{}.txt", run.name)].assert_eq(&mail.text);
        expect_file![format!("../../../tests/mails/{}.html", run.name)].assert_eq(&mail.html);
    }
}

#[test]
fn every_typical_mail_is_at_most_78_columns_wide_but_for_its_links_and_has_texts_that_ec2_says() {
    for run in typical_runs::all() {
        let text = run.mail().text;
        assert!(!text.contains("said EC2"), "{}: {text}", run.name);
        for line in text.lines().filter(|line| !line.contains("https://")) {
            assert!(line.chars().count() <= 78, "{}: {line}", run.name);
        }
    }
}
