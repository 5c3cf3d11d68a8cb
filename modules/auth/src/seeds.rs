//! What `halobestie seed` writes: an admin, and mitras to try the product with.

use std::sync::Arc;

use halobestie_core::BoxError;
use halobestie_core::config::AppEnv;
use halobestie_core::module::Seed;
use halobestie_core::ports::{AdminAccounts, AdminError, AdminRole, NewAdmin, Role};
use secrecy::SecretString;

use crate::admins::{Admins, normal_email};
use crate::config::AuthConfig;
use crate::state::State;
use crate::store::admins;
use crate::store::users::{self, NewUser};

/// The admin of a developer's machine, where `ADMIN_EMAIL` is unset.
pub const DEV_ADMIN_EMAIL: &str = "admin@halobestie.test";
/// Its password.
pub const DEV_ADMIN_PASSWORD: &str = "halobestie-dev";

/// A mitra of a developer's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleMitra {
    /// E.164.
    pub phone: &'static str,
    /// The name that customers see.
    pub name: &'static str,
}

/// The mitras of a developer's machine and of tests; they sign in by the bypass code.
pub const SAMPLE_MITRAS: [SampleMitra; 8] = [
    SampleMitra {
        phone: "+6281200000001",
        name: "Ayu",
    },
    SampleMitra {
        phone: "+6281200000002",
        name: "Budi",
    },
    SampleMitra {
        phone: "+6281200000003",
        name: "Citra",
    },
    SampleMitra {
        phone: "+6281200000004",
        name: "Dewi",
    },
    SampleMitra {
        phone: "+6281200000005",
        name: "Eko",
    },
    SampleMitra {
        phone: "+6281200000006",
        name: "Fitri",
    },
    SampleMitra {
        phone: "+6281200000007",
        name: "Gilang",
    },
    SampleMitra {
        phone: "+6281200000008",
        name: "Hana",
    },
];

/// The seeds of this environment.
pub(crate) fn seeds(state: &Arc<State>, config: &AuthConfig) -> Vec<Seed> {
    let mut seeds = vec![admin(state.clone(), credentials(config, state.env))];
    if !state.env.is_deployed() {
        seeds.push(mitras(state.clone()));
    }
    seeds
}

/// Whom the admin's seed makes: what the configuration says, or outside of deployments a known one.
fn credentials(config: &AuthConfig, env: AppEnv) -> Option<(String, SecretString)> {
    let configured = config
        .admin_email
        .as_deref()
        .zip(config.admin_password.clone());
    match configured {
        Some((email, password)) => Some((normal_email(email), password)),
        None if env.is_deployed() => None,
        None => Some((DEV_ADMIN_EMAIL.to_owned(), DEV_ADMIN_PASSWORD.into())),
    }
}

fn admin(state: Arc<State>, credentials: Option<(String, SecretString)>) -> Seed {
    Seed::new("admin", move || {
        let (state, credentials) = (state.clone(), credentials.clone());
        async move { make_admin(&state, credentials).await }
    })
}

async fn make_admin(
    state: &Arc<State>,
    credentials: Option<(String, SecretString)>,
) -> Result<String, BoxError> {
    let Some((email, password)) = credentials else {
        return Ok("none made: ADMIN_EMAIL and ADMIN_PASSWORD are not set".to_owned());
    };
    if admins::password(&state.db, &email).await?.is_some() {
        return Ok(format!("{email} was there"));
    }
    let new = NewAdmin {
        email,
        display_name: "Admin".to_owned(),
        role: AdminRole::Owner,
    };
    let admins = Admins(state.clone());
    let password = admins.hash_password(password).await?;
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let made = admins.create(&tx, &new, &password).await;
    tx.commit().await?;
    match made {
        Ok(admin) => Ok(format!("{} made", admin.email)),
        Err(AdminError::Exists(email)) => Ok(format!("{email} was there")),
        Err(error) => Err(error.into()),
    }
}

fn mitras(state: Arc<State>) -> Seed {
    Seed::new("sample mitras", move || {
        let state = state.clone();
        async move { make_mitras(&state).await }
    })
}

async fn make_mitras(state: &State) -> Result<String, BoxError> {
    let mut made = 0;
    for mitra in SAMPLE_MITRAS {
        let new = NewUser {
            id: state.entropy.uuid(&state.clock),
            role: Role::Mitra,
            phone: Some(mitra.phone),
            email: None,
            display_name: mitra.name,
        };
        made += usize::from(
            users::insert(&state.db, new, state.clock.now())
                .await?
                .is_some(),
        );
    }
    Ok(format!(
        "{made} made, {} were there",
        SAMPLE_MITRAS.len() - made
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Phone;

    #[test]
    fn the_sample_phones_are_phones() {
        for mitra in SAMPLE_MITRAS {
            assert_eq!(Phone::parse(mitra.phone).unwrap().as_str(), mitra.phone);
        }
    }
}
