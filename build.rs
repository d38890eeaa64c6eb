//! Takes the roots of Amazon Trust Services out of Mozilla's, at build time: nobody keeps a list of certificates here,
//! and `cargo update` brings new ones. Only the function needs them: a build without the AWS SDK does nothing here.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "aws")]
    roots::write();
}

#[cfg(feature = "aws")]
mod roots {
    use std::path::PathBuf;
    use std::{env, fs};

    use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

    /// "For relying parties that make use of custom trust stores we recommend that all five of the above roots be included
    /// in the trust store" (<https://www.amazontrust.com/repository/>).
    const NAMES: [&str; 5] = [
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    ];

    /// What base64 writes (RFC 4648, section 4).
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// Writes them as PEM, the form that aws-smithy-http-client takes, into Cargo's OUT_DIR.
    pub(crate) fn write() {
        let file = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("amazon-roots.pem");
        let pem: String = NAMES.iter().map(|name| pem(one_named(name))).collect();
        fs::write(file, pem).expect("OUT_DIR can be written");
    }

    /// The one certificate of that common name: a build without it fails.
    fn one_named(name: &str) -> &'static [u8] {
        // In DER a text stands behind its length: "Amazon Root CA 1" is not a part of a longer name.
        let text: Vec<u8> = [&[name.len() as u8], name.as_bytes()].concat();
        let is_named = |certificate: &&[u8]| certificate.windows(text.len()).any(|bytes| bytes == text);
        let named: Vec<&[u8]> =
            TLS_SERVER_ROOT_CERTS.iter().map(|certificate| certificate.as_ref()).filter(is_named).collect();
        assert!(
            named.len() == 1,
            "webpki-root-certs has {} roots named {name}; one is expected",
            named.len()
        );
        named[0]
    }

    fn pem(certificate: &[u8]) -> String {
        let text = base64(certificate);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("base64 is ASCII")).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    fn base64(bytes: &[u8]) -> String {
        let groups = bytes.chunks(3).flat_map(|group| {
            let number =
                (0..3).fold(0, |number, place| number << 8 | usize::from(*group.get(place).unwrap_or(&0)));
            (0..4).map(move |place| match place <= group.len() {
                true => char::from(ALPHABET[number >> (18 - 6 * place) & 63]),
                false => '=',
            })
        });
        groups.collect()
    }
}
