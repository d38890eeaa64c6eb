//! Whom TLS trusts.
//!
//! Owns where the roots come from. In the partition `aws` they are those of Amazon Trust Services, compiled in (build.rs):
//! AWS's endpoints chain to them, and to read a system's 140 took three quarters of init. Of the other partitions'
//! endpoints (China, GovCloud and others) AWS does not say as much: there, and where no partition is said, the system's
//! roots are trusted. `AWS_CA_BUNDLE`, a file as the AWS CLI reads it, adds a company's own to either.

use aws_smithy_http_client::tls::TrustStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use webpki::anchor_from_trusted_cert;

/// The partition whose endpoints chain to Amazon Trust Services.
const OF_AMAZON: &str = "aws";
/// Its five roots, as PEM.
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));

/// The roots to trust in `PARTITION`, with those of the file that `AWS_CA_BUNDLE` names; `variable` gives an environment
/// variable's value.
///
/// # Errors
/// Why the bundle cannot be used.
pub(crate) fn trust(variable: impl Fn(&str) -> Option<String>) -> Result<TrustStore, String> {
    let mut trusted = TrustStore::empty();
    if variable("PARTITION").as_deref() == Some(OF_AMAZON) {
        trusted.add_pem_certificate(AMAZON_ROOTS);
    } else {
        trusted = trusted.with_native_roots(true);
    }
    if let Some(file) = variable("AWS_CA_BUNDLE").filter(|file| !file.trim().is_empty()) {
        let refused = |why: String| format!("AWS_CA_BUNDLE, {file}: {why}");
        let bundle = std::fs::read(&file).map_err(|error| refused(error.to_string()))?;
        check(&bundle).map_err(refused)?;
        trusted.add_pem_certificate(bundle);
    }
    Ok(trusted)
}

/// aws-smithy-http-client panics on what it cannot read: so it is read here before.
fn check(bundle: &[u8]) -> Result<(), String> {
    let mut certificates = 0;
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        certificates += 1;
        let certificate =
            certificate.map_err(|error| format!("certificate {certificates} is no PEM: {error}"))?;
        anchor_from_trusted_cert(&certificate)
            .map_err(|error| format!("certificate {certificates} cannot be used: {error}"))?;
    }
    if certificates == 0 { Err("there is no certificate in it".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(settings: &[(&str, &str)]) -> Result<TrustStore, String> {
        trust(|name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    /// A file of that text, in the build's own folder.
    fn file(name: &str, text: &[u8]) -> String {
        let path = std::path::Path::new(env!("OUT_DIR")).join(name);
        std::fs::write(&path, text).expect("a folder that can be written");
        path.to_string_lossy().into_owned()
    }

    fn trusts_the_system(trusted: &TrustStore) -> bool {
        format!("{trusted:?}").contains("enable_native_roots: true")
    }

    #[test]
    fn the_five_roots_of_amazon_are_there_and_can_be_used() {
        assert_eq!(check(AMAZON_ROOTS), Ok(()));
        assert_eq!(CertificateDer::pem_slice_iter(AMAZON_ROOTS).count(), 5);
    }

    #[test]
    fn only_in_the_partition_aws_the_systems_roots_are_not_read() {
        assert!(!trusts_the_system(&with(&[("PARTITION", "aws")]).expect("no bundle")));
        for other in [&[][..], &[("PARTITION", "aws-cn")], &[("PARTITION", "aws-us-gov")]] {
            assert!(trusts_the_system(&with(other).expect("no bundle")), "{other:?}");
        }
    }

    #[test]
    fn a_bundle_is_trusted_beside_the_roots_of_amazon() {
        let bundle = file("bundle.pem", AMAZON_ROOTS);
        let trusted = with(&[("PARTITION", "aws"), ("AWS_CA_BUNDLE", &bundle)]).expect("a good bundle");
        assert_eq!(format!("{trusted:?}").matches("CertificatePEM").count(), 2);
        let blank = with(&[("PARTITION", "aws"), ("AWS_CA_BUNDLE", " ")]).expect("no bundle");
        assert_eq!(format!("{blank:?}").matches("CertificatePEM").count(), 1);
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_refused_by_the_files_name() {
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "\n-----END CERTIFICATE-----\n";
        let torn = format!("{}{begin}MIID{end}", String::from_utf8_lossy(AMAZON_ROOTS));
        let nothing = file("nothing.pem", b"# nothing yet\n");
        let torn = file("torn.pem", torn.as_bytes());
        for (bundle, why) in [
            ("/nowhere.pem", "No such file"),
            (&nothing, "there is no certificate in it"),
            (&torn, "certificate 6 cannot be used"),
        ] {
            let refused = with(&[("AWS_CA_BUNDLE", bundle)]).expect_err("a bad bundle");
            assert!(refused.starts_with(&format!("AWS_CA_BUNDLE, {bundle}: ")), "{refused}");
            assert!(refused.contains(why), "{refused}");
        }
    }
}
