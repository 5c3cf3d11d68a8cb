//! The files by which a site names the apps that may open its links.

use serde_json::{Value, json};

/// `<team or app id prefix>.<bundle id>`: a dot with something on both sides, no spaces.
pub(crate) fn is_apple_app_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    text.bytes().all(allowed)
        && text
            .split_once('.')
            .is_some_and(|(prefix, bundle)| !prefix.is_empty() && !bundle.is_empty())
}

/// `apple-app-site-association`: every link of the site, and its saved passwords. `appIDs` with
/// `components` is what iOS 13 and later read; nothing older is asked for.
pub(crate) fn apple(app_ids: &[String]) -> Value {
    json!({
        "applinks": { "details": [{ "appIDs": app_ids, "components": [{ "/": "*" }] }] },
        "webcredentials": { "apps": app_ids },
    })
}

/// An app for Android and the certificates that may have signed it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AndroidApp {
    package: String,
    /// SHA-256, upper-case hex with colons.
    fingerprints: Vec<String>,
}

impl AndroidApp {
    /// Reads `package=fingerprint;fingerprint`; a colon parts a package from its fingerprints as well.
    /// `None` when it is not that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (package, fingerprints) = text.split_once(['=', ':'])?;
        let fingerprints = fingerprints.split(';').map(fingerprint);
        Some(Self {
            package: package_name(package.trim())?,
            fingerprints: fingerprints.collect::<Option<_>>()?,
        })
    }
}

fn package_name(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    (text.contains('.') && text.bytes().all(allowed)).then(|| text.to_owned())
}

fn fingerprint(text: &str) -> Option<String> {
    const BYTES: usize = 32;
    let text = text.trim().to_ascii_uppercase();
    let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|it| it.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split(':').collect();
    (parts.len() == BYTES && parts.into_iter().all(is_byte)).then_some(text)
}

/// `assetlinks.json`: these apps may open every link of the site.
pub(crate) fn android(apps: &[AndroidApp]) -> Value {
    let statement = |app: &AndroidApp| {
        json!({
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": app.package,
                "sha256_cert_fingerprints": app.fingerprints,
            },
        })
    };
    apps.iter().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_android_app_has_a_package_and_fingerprints() {
        let print = ["ab"; 32].join(":");
        let app = AndroidApp::parse(&format!(" com.halobestie.app = {print}; {print}")).unwrap();
        assert_eq!(app.package, "com.halobestie.app");
        assert_eq!(app.fingerprints, vec![print.to_uppercase(); 2]);
    }

    #[test]
    fn a_wrong_android_app_is_refused() {
        let print = ["AB"; 32].join(":");
        let short = ["AB"; 20].join(":");
        for text in [
            "com.halobestie.app".to_owned(),
            "com.halobestie.app=".to_owned(),
            format!("com.halobestie.app={short}"),
            format!("app={print}"),
            format!("com.halo bestie={print}"),
            format!("com.halobestie.app={print};"),
        ] {
            assert_eq!(AndroidApp::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn an_apple_app_id_has_a_prefix() {
        assert!(is_apple_app_id("ABCDE12345.com.halobestie.app"));
        for text in ["", "com", ".com.halobestie", "ABCDE12345.", "A B.c"] {
            assert!(!is_apple_app_id(text), "{text:?}");
        }
    }
}
