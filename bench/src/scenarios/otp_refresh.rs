//! Sign-in and refresh. Every connection signs somebody new in by a one-time code, which is timed apart,
//! and then shows each refresh token once: one durable rotation each.

use std::time::Instant;

use anyhow::{Context as _, Error, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::World;
use crate::http_client::{Answer, HttpClient, request};
use crate::http_task::{Asking, HttpTask, expect_status};
use crate::peers::pgbench;
use crate::results::Round;
use crate::side::{Side, Speaks};

/// Sign-ins at once.
const AT_ONCE: usize = 16;
/// What every phone's code is in a server that is measured.
const CODE: &str = "000000";
const MARK: &str = "\"refresh_token\":\"";

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    if side.speaks == Speaks::Pgbench {
        return pgbench::round(side, &world.load).await;
    }
    let run = world.run_id() / 1000 % 100_000;
    let began = Instant::now();
    let people: Vec<Refreshing> = stream::iter(0..world.load.connections)
        .map(|number| sign_in(side, format!("+62812{run:05}{number:04}")))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let sign_ins = people.len() as f64 / began.elapsed().as_secs_f64();
    let mut tasks = HttpTask::all(side.first()?, people).await?;
    let mut round = world.load.measure(side, &mut tasks).await?;
    round.figures.insert("sign_ins".into(), sign_ins);
    Ok(round)
}

async fn sign_in(side: &Side, phone: String) -> Result<Refreshing, Error> {
    let mut client = HttpClient::connect(side.first()?).await?;
    let asked = json!({"phone": phone, "role": "customer"}).to_string();
    let answer = client
        .exchange(&request("POST", "/api/auth/otp/request", None, &asked))
        .await?;
    ensure!(
        answer.status == 202,
        "asking for a code got {}",
        answer.status
    );
    let asked: Value = serde_json::from_slice(answer.body)?;
    let shown = json!({"otp_id": asked["otp_id"], "code": CODE}).to_string();
    let answer = client
        .exchange(&request("POST", "/api/auth/otp/verify", None, &shown))
        .await?;
    ensure!(
        answer.status == 200,
        "showing the code got {}",
        answer.status
    );
    let token = refresh_token(answer.body).context("no refresh token")?;
    Ok(Refreshing::new(token))
}

/// Somebody whose living token is this.
struct Refreshing {
    request: Vec<u8>,
}

impl Refreshing {
    fn new(token: &str) -> Self {
        let body = format!(r#"{{"refresh_token":"{token}"}}"#);
        Self {
            request: request("POST", "/api/auth/refresh", None, &body),
        }
    }
}

impl Asking for Refreshing {
    fn ask(&mut self) -> &[u8] {
        &self.request
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Result<(), String> {
        expect_status(answer, 200)?;
        let token = refresh_token(answer.body).ok_or("no refresh token")?;
        *self = Self::new(token);
        Ok(())
    }
}

/// Found without reading the JSON around it: this is done for every answer.
fn refresh_token(body: &[u8]) -> Option<&str> {
    let (_, after) = std::str::from_utf8(body).ok()?.split_once(MARK)?;
    after.split_once('"').map(|(token, _)| token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found() {
        let body = br#"{"access_token":"a","refresh_token":"b-c_d","x":1}"#;
        assert_eq!(refresh_token(body), Some("b-c_d"));
        assert_eq!(refresh_token(b"{}"), None);
    }
}
