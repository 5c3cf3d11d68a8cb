//! The service account: a key pair of the sandbox's own, and the file that describes it.
//!
//! The key is made once a process, when it is first wanted: making one takes longer than most tests,
//! and whoever could read it out of this process could as well start a sandbox.

use std::sync::LazyLock;

use halobestie_core::entropy::Entropy;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::json;
use sha2::{Digest, Sha256};

const KEY_BITS: usize = 2048;

/// A key pair in the forms in which it is used.
pub(super) struct Key {
    /// `private_key_id`, the `kid` of assertions.
    pub(super) id: String,
    /// PKCS#8.
    private_pem: String,
    /// PKCS#1.
    pub(super) public_der: Vec<u8>,
}

static KEY: LazyLock<Key> = LazyLock::new(make);

/// The process's key.
pub(super) fn key() -> &'static Key {
    &KEY
}

#[expect(clippy::expect_used, reason = "without a key there is no sandbox")]
fn make() -> Key {
    let private = RsaPrivateKey::new(&mut Chance(Entropy::system()), KEY_BITS);
    let private = private.expect("a key can be made");
    let private_pem = private.to_pkcs8_pem(LineEnding::LF);
    let public_der = RsaPublicKey::from(&private).to_pkcs1_der();
    let public_der = public_der.expect("a public key can be written").into_vec();
    let digest = Sha256::digest(&public_der);
    Key {
        id: digest[..20].iter().map(|it| format!("{it:02x}")).collect(),
        private_pem: private_pem
            .expect("a private key can be written")
            .to_string(),
        public_der,
    }
}

/// The account's address, the issuer of its assertions.
pub(super) fn email(project_id: &str) -> String {
    format!("firebase-adminsdk@{project_id}.iam.gserviceaccount.com")
}

/// The file that Google gives out.
pub(super) fn file(project_id: &str, token_uri: &str) -> String {
    let key = key();
    let file = json!({
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": key.id,
        "private_key": key.private_pem,
        "client_email": email(project_id),
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": format!("https://www.googleapis.com/robot/v1/metadata/x509/{}", email(project_id)),
        "universe_domain": "googleapis.com",
    });
    format!("{file:#}\n")
}

/// Our randomness in the form that key making asks for.
struct Chance(Entropy);

impl RngCore for Chance {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, into: &mut [u8]) {
        for chunk in into.chunks_mut(32) {
            let bytes: [u8; 32] = self.0.bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(into);
        Ok(())
    }
}

impl CryptoRng for Chance {}
