//! Mail addresses: one grammar, the template's. SES refuses the whole mail for one address that it cannot read.

/// The most recipients of one mail (API: SendEmail).
pub(super) const MOST_RECIPIENTS: usize = 50;
/// What may stand before the @, beside letters, digits and single dots (RFC 5321's atoms, in ASCII).
const ATOM: &str = "!#$%&'*+/=?^_{|}~-";

/// Whether it is an address.
pub(super) fn is_address(address: &str) -> bool {
    address.split_once('@').is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain))
}

fn is_local_part(local: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ATOM.contains(c);
    local.split('.').all(|part| !part.is_empty() && part.chars().all(plain))
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.') && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Addresses {
        good: Vec<String>,
        bad: Vec<String>,
    }

    /// The same file holds the template's patterns (tests/template/test_parameters.py).
    #[test]
    fn the_function_takes_exactly_the_addresses_that_the_template_takes() {
        let file = include_str!("../../tests/addresses.toml");
        let Addresses { good, bad } = toml::from_str(file).expect("two lists");
        assert!(!good.is_empty() && !bad.is_empty());
        for address in good {
            assert!(is_address(&address), "{address} is refused");
        }
        for address in bad {
            assert!(!is_address(&address), "{address} is taken");
        }
    }
}
