//! Where an environment is that is not in the stack's own account and Region.

/// Another account, another Region, or both: reached by a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Elsewhere {
    /// The role's ARN, `arn:aws:iam::210987654321:role/ec2-start-stop-member` for example.
    pub role: String,
    /// What the role's trust asks for besides.
    pub external_id: Option<String>,
    /// Its Region; the stack's own, if it names none.
    pub region: Option<String>,
}

impl Elsewhere {
    /// The account's twelve digits, from the role's ARN.
    pub(crate) fn account(&self) -> &str {
        self.role.split(':').nth(4).unwrap_or_default()
    }

    /// The Region, where the stack's own is `home`.
    pub(crate) fn region<'a>(&'a self, home: &'a str) -> &'a str {
        self.region.as_deref().unwrap_or(home)
    }

    /// `account 210987654321, eu-central-1`; no number parts from its word.
    pub(crate) fn words(&self, home: &str) -> String {
        format!("account\u{a0}{}, {}", self.account(), self.region(home))
    }
}
