//! Where the function runs: what a reader of many mails tells them apart by, and links into the console.
//!
//! What is not known is left out: no link is better than one into another partition.

use crate::model::Elsewhere;

/// Account, Region and stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The account's twelve digits.
    pub account: Option<String>,
    /// `aws`, `aws-cn` or `aws-us-gov`; read from the Region where it is not given.
    pub partition: Option<String>,
    /// The console's domain; that of the partition where it is not given.
    pub console_domain: Option<String>,
    /// For example `eu-west-1`.
    pub region: String,
    /// The stack's name.
    pub stack: String,
    /// The phase log's group.
    pub log_group: Option<String>,
    /// Where docs/ of this version can be read: `DOCS_URL` of the build. A release knows, a clone has the folder.
    pub docs_url: Option<&'static str>,
    /// The version of the function.
    pub version: &'static str,
}

impl Place {
    /// A stack in a Region; the rest is not known.
    pub(crate) fn new(region: &str, stack: &str) -> Self {
        Self {
            account: None,
            partition: None,
            console_domain: None,
            region: region.to_owned(),
            stack: stack.to_owned(),
            log_group: None,
            docs_url: option_env!("DOCS_URL").filter(|url| !url.is_empty()),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Account, where it is known, and Region.
    pub(crate) fn home(&self) -> (Option<&str>, &str) {
        (self.account.as_deref(), &self.region)
    }

    /// Where the servers of an environment are. A role is of the stack's own partition: no other can be assumed.
    pub(crate) fn of(&self, elsewhere: Option<&Elsewhere>) -> Self {
        let Some(elsewhere) = elsewhere else { return self.clone() };
        let region = elsewhere.region(&self.region).to_owned();
        Self { account: Some(elsewhere.account().to_owned()), region, ..self.clone() }
    }

    /// An instance's page.
    pub(crate) fn instance(&self, id: &str) -> Option<String> {
        self.page("ec2", &format!("InstanceDetails:instanceId={id}"))
    }

    /// An execution's page, by its ARN.
    pub(crate) fn execution(&self, arn: &str) -> Option<String> {
        self.page("states", &format!("/v2/executions/details/{arn}"))
    }

    /// A stream of the phase log.
    pub(crate) fn log_stream(&self, stream: &str) -> Option<String> {
        let (group, stream) = (encoded_twice(self.log_group.as_deref()?), encoded_twice(stream));
        self.page("cloudwatch", &format!("logsV2:log-groups/log-group/{group}/log-events/{stream}"))
    }

    /// Where docs/troubleshooting.md explains a code: a text fragment, because an entry may be of several codes.
    pub(crate) fn explanation(&self, code: &str) -> Option<String> {
        Some(format!("{}/troubleshooting.md#:~:text={}", self.docs_url?, encoded(code, "%")))
    }

    /// `stack prod-scheduler`, `account 123456789012`, `eu-west-1`, `version 1.0.0`: no number parts from its word.
    pub(crate) fn words(&self) -> Vec<String> {
        let account = self.account.iter().map(|account| format!("account\u{a0}{account}"));
        let parts = [format!("stack\u{a0}{}", self.stack)].into_iter().chain(account);
        parts.chain([self.region.clone(), format!("version\u{a0}{}", self.version)]).collect()
    }

    /// `account 210987654321, eu-central-1`
    pub(crate) fn account_and_region(&self) -> String {
        let account = self.account.iter().map(|account| format!("account\u{a0}{account}"));
        account.chain([self.region.clone()]).collect::<Vec<_>>().join(", ")
    }

    fn page(&self, service: &str, fragment: &str) -> Option<String> {
        let (domain, region) = (self.domain()?, &self.region);
        Some(format!("https://{region}.{domain}/{service}/home?region={region}#{fragment}"))
    }

    fn domain(&self) -> Option<&str> {
        // https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/console-endpoints.html
        let of_partition = || match self.partition() {
            "aws" => Some("console.aws.amazon.com"),
            "aws-cn" => Some("console.amazonaws.cn"),
            "aws-us-gov" => Some("console.amazonaws-us-gov.com"),
            _ => None,
        };
        self.console_domain.as_deref().or_else(of_partition)
    }

    fn partition(&self) -> &str {
        let of_region = || match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            // us-iso-east-1, us-isob-east-1, eu-isoe-west-1: consoles that we do not know.
            region if region.contains("-iso") => "aws-iso",
            _ => "aws",
        };
        self.partition.as_deref().unwrap_or_else(of_region)
    }
}

/// CloudWatch's console encodes names in its fragment twice, with `$` for `%` the second time.
fn encoded_twice(name: &str) -> String {
    name.split('-').map(|part| encoded(part, "$25")).collect::<Vec<_>>().join("-")
}

/// A hyphen is encoded too: in a text fragment it has a meaning (<https://wicg.github.io/scroll-to-text-fragment/>).
fn encoded(text: &str, percent: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("{percent}{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_console_and_an_unknown_one_none() {
        let link = |region: &str| Place::new(region, "s").instance("i-1");
        let page = |host: &str, region: &str| {
            Some(format!("https://{region}.{host}/ec2/home?region={region}#InstanceDetails:instanceId=i-1"))
        };
        assert_eq!(link("eu-west-1"), page("console.aws.amazon.com", "eu-west-1"));
        assert_eq!(link("cn-north-1"), page("console.amazonaws.cn", "cn-north-1"));
        assert_eq!(link("us-gov-west-1"), page("console.amazonaws-us-gov.com", "us-gov-west-1"));
        assert_eq!(link("us-iso-east-1"), None);
        let told = Place { console_domain: Some("c.example.com".into()), ..Place::new("us-iso-east-1", "s") };
        assert_eq!(told.instance("i-1"), page("c.example.com", "us-iso-east-1"));
    }

    #[test]
    fn a_server_elsewhere_has_its_page_in_its_region_and_in_the_stacks_partition() {
        let link = |home: &str, region: &str| {
            let role = "arn:aws:iam::210987654321:role/member".to_owned();
            let elsewhere = Elsewhere { role, external_id: None, region: Some(region.to_owned()) };
            Place::new(home, "s").of(Some(&elsewhere)).instance("i-1").unwrap_or_default()
        };
        let begins = |link: String, with: &str| assert!(link.starts_with(with), "{link}");
        begins(link("eu-west-1", "eu-south-2"), "https://eu-south-2.console.aws.amazon.com/ec2/");
        begins(link("cn-north-1", "cn-northwest-1"), "https://cn-northwest-1.console.amazonaws.cn/ec2/");
        begins(link("us-gov-west-1", "us-gov-east-1"), "https://us-gov-east-1.console.amazonaws-us-gov.com/");
    }

    #[test]
    fn an_executions_link_is_the_templates() {
        // tests/template/test_partitions.py holds the template's to the same.
        let link = Place::new("eu-west-1", "s").execution("arn:aws:states:1").unwrap_or_default();
        let page =
            "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/";
        assert_eq!(link, format!("{page}arn:aws:states:1"));
    }

    #[test]
    fn a_log_streams_link_survives_slashes_and_needs_a_group() {
        let place = Place { log_group: Some("/aws/x phases".into()), ..Place::new("eu-west-1", "s") };
        let link = place.log_stream("run/1").unwrap_or_default();
        assert!(link.ends_with("log-group/$252Faws$252Fx$2520phases/log-events/run$252F1"), "{link}");
        assert_eq!(Place::new("eu-west-1", "s").log_stream("run"), None);
    }

    #[test]
    fn a_codes_explanation_is_linked_where_the_build_knows_its_docs() {
        let clone = Place { docs_url: None, ..Place::new("eu-west-1", "s") };
        assert_eq!(clone.explanation("NotInTime"), None);
        let release = Place { docs_url: Some("https://git.example.com/docs"), ..clone };
        let link = release.explanation("Client.Key-Off").unwrap_or_default();
        assert_eq!(link, "https://git.example.com/docs/troubleshooting.md#:~:text=Client.Key%2DOff");
    }

    #[test]
    fn the_words_leave_out_an_account_that_is_not_known() {
        let place = Place { version: "1.2.3", ..Place::new("eu-west-1", "prod") };
        let words = |place: &Place| place.words().join(", ").replace('\u{a0}', " ");
        assert_eq!(words(&place), "stack prod, eu-west-1, version 1.2.3");
        let known = Place { account: Some("123456789012".into()), ..place };
        assert_eq!(words(&known), "stack prod, account 123456789012, eu-west-1, version 1.2.3");
    }
}
