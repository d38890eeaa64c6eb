//! The fault table (fault_table.toml) is true: every row names a test that is there.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    fault: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What goes wrong.
    name: String,
    /// How the test produces it.
    produced: String,
    /// What the phase must answer.
    answer: String,
    /// `file::test`.
    test: String,
    /// It is a defect of the reference implementation.
    #[serde(default)]
    reference: bool,
}

fn table() -> Vec<Row> {
    toml::from_str::<Table>(include_str!("../../../tests/fault_table.toml")).unwrap().fault
}

#[test]
fn every_fault_has_a_test_that_is_there() {
    for row in table() {
        let (file, test) =
            row.test.rsplit_once("::").unwrap_or_else(|| panic!("{}: file::test is expected", row.name));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {file}: {error}", row.name));
        let rust = text.contains(&format!("#[test]\nfn {test}()"))
            || text.contains(&format!("#[test]\n    fn {test}()"));
        let python = text.contains(&format!("\ndef {test}("));
        assert!(rust || python, "{}: there is no test {test} in {file}", row.name);
    }
}

#[test]
fn the_table_has_at_least_25_faults_and_the_17_of_the_reference_each_once_and_whole() {
    let rows = table();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "a fault is there twice");
    assert!(rows.len() >= 25);
    assert_eq!(rows.iter().filter(|row| row.reference).count(), 17);
    assert!(rows.iter().all(|row| !row.produced.is_empty() && !row.answer.is_empty()));
}
