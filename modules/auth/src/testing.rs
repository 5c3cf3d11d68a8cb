//! Signing people in, for the suites of this and other modules.
//!
//! Everything goes through the real routes; only the accounts that an admin would make are written
//! directly. Every call takes a phone or an email of its own, so that no limit is met and tests may
//! share a server.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::ports::{AdminRole, Role};
use halobestie_testkit::{TestApp, TestDb};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access_token::{AccessTokens, Subject};
use crate::keys::Keys;
use crate::password::Passwords;
use crate::store::admins::{self, NewAdminRow};
use crate::store::users::{self, NewUser};

/// The default `OTP_BYPASS_CODE`.
pub const OTP_CODE: &str = "000000";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person.
    pub user_id: Uuid,
    /// What they are.
    pub role: Role,
    /// The name that others see.
    pub display_name: String,
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// For `/api/auth/refresh`.
    pub refresh_token: String,
}

/// A new customer, signed in.
pub async fn customer(app: &TestApp) -> SignedIn {
    sign_in(app, Role::Customer, &fresh_phone()).await
}

/// A new mitra, signed in.
pub async fn mitra(app: &TestApp) -> SignedIn {
    let phone = fresh_phone();
    register_mitra(app, &phone, "Ayu").await;
    sign_in(app, Role::Mitra, &phone).await
}

/// A new admin who may do everything, signed in.
pub async fn admin(app: &TestApp) -> SignedIn {
    admin_as(app, AdminRole::Owner).await
}

/// A new admin with this role, signed in.
pub async fn admin_as(app: &TestApp, role: AdminRole) -> SignedIn {
    let email = format!("{}@halobestie.test", fresh_id().simple());
    register_admin_as(app, &email, "a fine password", role).await;
    let credentials = json!({"email": email, "password": "a fine password"});
    let answer = app
        .internal_post("/api/admin/auth/login")
        .json(&credentials)
        .send()
        .await;
    signed_in(&answer.expect(200).json())
}

/// Signs in by a one-time code; makes the account of a customer who is new.
pub async fn sign_in(app: &TestApp, role: Role, phone: &str) -> SignedIn {
    let asked = json!({"phone": phone, "role": role});
    let sent = app
        .post("/api/auth/otp/request")
        .json(&asked)
        .send()
        .await
        .expect(202)
        .json();
    let shown = json!({"otp_id": sent["otp_id"], "code": OTP_CODE});
    let answer = app
        .post("/api/auth/otp/verify")
        .json(&shown)
        .send()
        .await
        .expect(200);
    signed_in(&answer.json())
}

/// Makes the account of a mitra, as an admin would.
pub async fn register_mitra(app: &TestApp, phone: &str, display_name: &str) -> Uuid {
    let new = NewUser {
        id: fresh_id(),
        role: Role::Mitra,
        phone: Some(phone),
        email: None,
        display_name,
    };
    register(app, new).await
}

/// Makes the account of an admin who may do everything.
pub async fn register_admin(app: &TestApp, email: &str, password: &str) -> Uuid {
    register_admin_as(app, email, password, AdminRole::Owner).await
}

/// Makes the account of an admin with this role.
pub async fn register_admin_as(
    app: &TestApp,
    email: &str,
    password: &str,
    admin_role: AdminRole,
) -> Uuid {
    const CHEAPEST: u32 = 4;
    let hash = Passwords::new(CHEAPEST)
        .hash(password.into(), &Entropy::system())
        .await;
    let id = fresh_id();
    let new = NewAdminRow {
        id,
        email,
        password_hash: &hash.expect("the password of a test fits into bcrypt"),
        display_name: "Admin",
        admin_role,
    };
    let made = admins::insert(app.database.db(), new, app.clock.now()).await;
    assert!(
        made.expect("the database takes the account"),
        "nobody has this email"
    );
    id
}

async fn register(app: &TestApp, new: NewUser<'_>) -> Uuid {
    let made = users::insert(app.database.db(), new, app.clock.now()).await;
    made.expect("the database takes the account")
        .expect("nobody has this phone or email")
        .id
}

/// Makes this many accounts of a role with one statement, for tests in which only their number matters.
/// Nobody can sign in to them; [`TokenMint`] speaks for them.
pub async fn many(database: &TestDb, role: Role, count: i32) -> Vec<Uuid> {
    const SQL: &str = "INSERT INTO users (id, role, display_name, created_at)
        SELECT gen_random_uuid(), $1, 'Number ' || number, $3
        FROM generate_series(1, $2) AS number RETURNING id";
    let now = Clock::system().now();
    let rows = database.rows(SQL, &[&role.as_str(), &count, &now]).await;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Signs access tokens as a server with this secret does, without a sign-in.
pub struct TokenMint(AccessTokens);

impl TokenMint {
    /// Under this `AUTH_JWT_SECRET`.
    pub fn new(secret: &str) -> Self {
        let keys = Keys::new([secret.as_bytes()]).expect("one secret is enough");
        Self(AccessTokens::new(&keys, Duration::from_secs(3600)))
    }

    /// An hour's token of somebody, in a sign-in session that nobody has recorded or revoked.
    pub fn token(&self, user_id: Uuid, role: Role) -> String {
        let subject = Subject {
            user_id,
            role,
            session_id: fresh_id(),
        };
        let token = self.0.sign(subject, Clock::system().now());
        token.expect("claims can be written")
    }
}

/// A mobile number that no other test has, and no sample mitra.
pub fn fresh_phone() -> String {
    format!("+62812{}", 10_000_000 + Entropy::system().below(90_000_000))
}

fn fresh_id() -> Uuid {
    Entropy::system().uuid(&Clock::system())
}

/// The person of a sign-in's or refresh's answer.
pub fn signed_in(tokens: &Value) -> SignedIn {
    let text = |value: &Value| {
        value
            .as_str()
            .map(ToOwned::to_owned)
            .expect("tokens have this text")
    };
    let user = &tokens["user"];
    SignedIn {
        user_id: text(&user["id"]).parse().expect("a user's id is a UUID"),
        role: text(&user["role"]).parse().expect("a user's role is known"),
        display_name: text(&user["display_name"]),
        access_token: text(&tokens["access_token"]),
        refresh_token: text(&tokens["refresh_token"]),
    }
}
