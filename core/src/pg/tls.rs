//! TLS to Postgres, by rustls: `sslmode=require` verifies the server, which libpq's does not.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::problem::BoxError;

/// A connector that trusts the given authorities, or the public ones where there are none.
///
/// # Errors
/// When the PEM cannot be read or holds no certificate.
pub(super) fn connector(ca: Option<&str>) -> Result<MakeRustlsConnect, BoxError> {
    let roots = match ca {
        Some(pem) => authorities(pem)?,
        None => RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        },
    };
    // Named, not left to the process's default: another crate may bring a second provider.
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(pem: &str) -> Result<RootCertStore, BoxError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("DATABASE_CA holds no certificate in PEM".into());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_authorities_are_trusted_by_default_and_nonsense_never() {
        assert!(connector(None).is_ok());
        assert!(connector(Some("not a certificate")).is_err());
    }
}
