//! The service account: the file that Google gives out, read once and checked field by field.
//!
//! The invariant: a file that is taken can sign. What is wrong with one is said by the field's name and
//! never quotes it, since one of the fields is a key.

use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::Value;

use crate::config::plain;

/// Where Google gives out access tokens, unless the file says otherwise.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// The file has 3 KB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Who we are to Google.
pub(crate) struct Account {
    /// The Firebase project.
    pub(crate) project_id: String,
    /// The issuer of assertions.
    pub(crate) client_email: String,
    /// Where assertions become access tokens.
    pub(crate) token_uri: String,
    header: Header,
    key: EncodingKey,
}

/// Why a service account cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// No such file, or not for us.
    #[error("cannot read {}", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// Far too long.
    #[error("{} is too large for a service account's file", .0.display())]
    TooLarge(PathBuf),
    /// Not an object of JSON.
    #[error("{} is not JSON as Google gives it out for a service account", .0.display())]
    NotJson(PathBuf),
    /// A field that is missing or wrong.
    #[error("{}: field {field}: {expected}", .path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Which.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl AccountError {
    /// With its cause.
    pub(crate) fn in_full(&self) -> String {
        halobestie_core::doctor::with_causes(self)
    }
}

impl Account {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub(crate) fn read(path: &Path) -> Result<Self, AccountError> {
        let unreadable = |error| AccountError::Unreadable(path.to_owned(), error);
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > FILE_BYTES_MAX {
            return Err(AccountError::TooLarge(path.to_owned()));
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        Self::parse(&text, path)
    }

    fn parse(text: &[u8], path: &Path) -> Result<Self, AccountError> {
        let file: Value = serde_json::from_slice(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| AccountError::NotJson(path.to_owned()))?;
        let wrong = |field, expected| AccountError::Field {
            path: path.to_owned(),
            field,
            expected,
        };
        let text = |field: &'static str, expected: &'static str| {
            let value = file[field].as_str().map(str::trim);
            value
                .filter(|it| !it.is_empty())
                .ok_or_else(|| wrong(field, expected))
        };
        if text("type", TYPE)? != "service_account" {
            return Err(wrong("type", TYPE));
        }
        let project_id = text("project_id", PROJECT_ID)?;
        if !project_id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"-_.:".contains(&it))
        {
            return Err(wrong("project_id", PROJECT_ID));
        }
        let client_email = text("client_email", "expected the account's address")?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(text("private_key_id", "expected the key's id")?.to_owned());
        let pem = mended(text("private_key", PRIVATE_KEY)?);
        let key = EncodingKey::from_rsa_pem(pem.as_bytes());
        let key = key.map_err(|_| wrong("private_key", PRIVATE_KEY))?;
        let token_uri = file["token_uri"].as_str().unwrap_or(TOKEN_URI);
        if plain(token_uri).is_none() {
            return Err(wrong("token_uri", "expected a URL"));
        }
        let account = Self {
            project_id: project_id.to_owned(),
            client_email: client_email.to_owned(),
            token_uri: token_uri.to_owned(),
            header,
            key,
        };
        // A key that can be read may still be none that signs.
        account
            .sign(&())
            .map_err(|_| wrong("private_key", PRIVATE_KEY))?;
        Ok(account)
    }

    /// Signs claims: RS256, under the key's id.
    ///
    /// # Errors
    /// When the claims cannot be written.
    pub(crate) fn sign<C: Serialize>(
        &self,
        claims: &C,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&self.header, claims, &self.key)
    }
}

const TYPE: &str = "expected service_account; this is another kind of file";
const PROJECT_ID: &str = "expected the id of the Firebase project";
const PRIVATE_KEY: &str = "expected a private RSA key as PEM, from -----BEGIN to -----END";

/// A key that went through an environment variable has lost its line breaks to `\n` in two characters.
fn mended(pem: &str) -> String {
    pem.replace("\\r", "").replace("\\n", "\n")
}

#[cfg(test)]
mod tests {
    use halobestie_sandbox::Sandbox;
    use serde_json::json;

    use super::*;

    async fn file() -> Value {
        let sandbox = Sandbox::start().await;
        serde_json::from_str(&sandbox.google.service_account()).unwrap()
    }

    fn parse(file: &Value) -> Result<Account, String> {
        let read = Account::parse(file.to_string().as_bytes(), Path::new("account.json"));
        read.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_file_as_google_gives_it_out_can_sign() {
        let file = file().await;
        let account = parse(&file).unwrap();
        assert_eq!(account.project_id, "halobestie-sandbox");
        assert_eq!(account.token_uri, file["token_uri"]);
        assert_eq!(account.sign(&json!({})).unwrap().split('.').count(), 3);
    }

    #[tokio::test]
    async fn a_key_whose_line_breaks_were_lost_is_mended() {
        let mut file = file().await;
        let key = file["private_key"].as_str().unwrap();
        file["private_key"] = key.replace('\n', "\\n").into();
        assert!(parse(&file).is_ok());
        let key = file["private_key"].as_str().unwrap();
        file["private_key"] = key.replace("\\n", "\\r\\n").into();
        assert!(parse(&file).is_ok());
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_by_its_field_and_not_quoted() {
        let good = file().await;
        for (field, value) in [
            ("type", json!("authorized_user")),
            ("type", json!(null)),
            ("project_id", json!("")),
            ("project_id", json!("a/b")),
            ("client_email", json!(7)),
            ("private_key_id", json!(null)),
            ("private_key", json!(null)),
            ("private_key", json!("c2VjcmV0")),
            (
                "private_key",
                json!("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"),
            ),
            ("token_uri", json!("oauth2.googleapis.com")),
        ] {
            let mut file = good.clone();
            file[field] = value;
            let error = parse(&file).err().unwrap();
            assert!(error.contains(&format!("field {field}:")), "{error}");
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
        let error = Account::parse(b"-----BEGIN", Path::new("account.json"));
        assert!(error.err().unwrap().to_string().contains("not JSON"));
    }

    #[tokio::test]
    async fn googles_own_token_address_is_the_default() {
        let mut file = file().await;
        file["token_uri"] = json!(null);
        assert_eq!(parse(&file).unwrap().token_uri, TOKEN_URI);
    }
}
