//! Tokens made by hand, as an attacker would.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use halobestie_core::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};
use uuid::Uuid;

/// The secret of the servers that forged tokens are shown to.
pub(crate) const SECRET: &str = "the secret that somebody would love to know";

/// Claims that the server would take.
pub(crate) fn claims(user_id: Uuid, now: Timestamp) -> Value {
    json!({
        "iss": "halobestie", "sub": user_id, "role": "customer", "sid": Uuid::from_u128(7),
        "iat": now.unix_seconds(), "exp": now.unix_seconds() + 900,
    })
}

/// Claims with one changed; null removes it.
pub(crate) fn with(mut claims: Value, key: &str, value: Value) -> Value {
    match value {
        Value::Null => {
            claims.as_object_mut().unwrap().remove(key);
        }
        value => claims[key] = value,
    }
    claims
}

/// A token of this header, signed by HMAC-SHA256 whatever the header says.
pub(crate) fn hs256(header: &Value, claims: &Value, secret: &str) -> String {
    let message = message(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    signed(message, &mac.finalize().into_bytes())
}

/// A token signed by HMAC-SHA512.
pub(crate) fn hs512(header: &Value, claims: &Value, secret: &str) -> String {
    let message = message(header, claims);
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    signed(message, &mac.finalize().into_bytes())
}

/// A token without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    signed(message(header, claims), &[])
}

/// The header and the claims of a token.
pub(crate) fn opened(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn signed(message: String, signature: &[u8]) -> String {
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
