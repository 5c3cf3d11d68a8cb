//! Act one: the servers answer, and three people sign in.

use anyhow::Result;
use halobestie_core::entropy::Entropy;
use serde_json::{Value, json};

use super::Plot;
use crate::cli::demo::client::{Answer, Call, Server};
use crate::cli::demo::fields::{is, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::sandbox::Sandbox;
use crate::cli::demo::trouble::wrong;

/// The channel of a code that is sent nowhere.
const BYPASS: &str = "bypass";
/// The sample mitras end in 1 to this.
const SAMPLE_MITRAS: u64 = 8;

/// Both servers are alive.
pub(crate) async fn servers_answer(
    plot: &Plot,
    customer_at: &Server,
    mitra_at: &Server,
    narrator: &mut Narrator,
) -> Result<()> {
    narrator.act("The servers")?;
    let step = format!("{} is alive", plot.customer_at);
    narrator.step(&step, is_alive(customer_at)).await?;
    if plot.mitra_at != plot.customer_at {
        let step = format!("{} is alive", plot.mitra_at);
        narrator.step(&step, is_alive(mitra_at)).await?;
    }
    Ok(())
}

async fn is_alive(server: &Server) -> Result<()> {
    server
        .send(Call::get("/livez"), None)
        .await?
        .expect(200)
        .map(drop)
}

/// A new customer signs in.
pub(crate) async fn customer(
    server: &Server,
    plot: &Plot,
    narrator: &mut Narrator,
) -> Result<Person> {
    narrator.act("Signing in")?;
    let phone = new_phone();
    let asked = async {
        let asked = request_code(server, &phone, "customer").await?;
        asked.expect(202)
    };
    let asked = narrator
        .step("a new customer asks for a code", asked)
        .await?;
    let code = match says(&asked, "/channel", BYPASS) {
        true => plot.code.clone(),
        false => {
            let read = sent_code(&phone, plot.sandbox.as_ref());
            narrator
                .step("the customer reads it in the sandbox", read)
                .await?
        }
    };
    let verified = async {
        let answer = verify(server, text(&asked, "/otp_id")?, &code).await?;
        if answer.code() == "otp_invalid" {
            let advice = "give the server's OTP_BYPASS_CODE with --code";
            return Err(wrong("the code to be taken", answer.summary(), advice));
        }
        let tokens = answer.expect(200)?;
        is(&tokens, "/user/is_new", true)?;
        Person::signed_in(server, "customer", &tokens)
    };
    let customer = narrator
        .step("the customer signs in with it", verified)
        .await?;
    narrator
        .step(
            "the customer sees their own account",
            sees_account(&customer, &phone),
        )
        .await?;
    Ok(customer)
}

async fn sees_account(person: &Person, phone: &str) -> Result<()> {
    let me = person.get("/api/auth/me").await?;
    is(&me, "/id", person.id.as_str())?;
    is(&me, "/role", person.role)?;
    is(&me, "/phone", phone)
}

/// Two mitras sign in, each on a server: those that were named, or whichever sample mitras are free to.
pub(crate) async fn mitras(
    first_at: &Server,
    second_at: &Server,
    plot: &Plot,
    narrator: &mut Narrator,
) -> Result<[Person; 2]> {
    let mut samples: Vec<String> = (1..=SAMPLE_MITRAS)
        .map(|n| format!("+628120000000{n}"))
        .collect();
    samples.retain(|phone| !plot.mitra_phones.contains(phone));
    let mut named = plot.mitra_phones.iter().cloned();
    let mut signs_in = async |server| match named.next() {
        Some(phone) => first_to_sign_in(server, &mut vec![phone], plot).await,
        None => first_to_sign_in(server, &mut samples, plot).await,
    };
    let first = narrator
        .step("a mitra signs in", signs_in(first_at))
        .await?;
    let second = narrator
        .step("a second mitra signs in", signs_in(second_at))
        .await?;
    Ok([first, second])
}

/// Signs in the first that may; those that were tried are gone from `phones`.
async fn first_to_sign_in(
    server: &Server,
    phones: &mut Vec<String>,
    plot: &Plot,
) -> Result<Person> {
    let entropy = Entropy::system();
    let mut refusals = Vec::new();
    while !phones.is_empty() {
        // At random, so that demos at the same time seldom meet the same mitra.
        let drawn = usize::try_from(entropy.below(phones.len() as u64))?;
        let phone = phones.swap_remove(drawn);
        match mitra_tokens(server, &phone, plot).await? {
            Ok(tokens) => return Person::signed_in(server, "mitra", &tokens),
            Err(refusal) => refusals.push(refusal.summary()),
        }
    }
    refusals.sort();
    refusals.dedup();
    Err(wrong(
        "a mitra who can sign in",
        refusals.join(" / "),
        advice_on(&refusals),
    ))
}

fn advice_on(refusals: &[String]) -> &'static str {
    if refusals
        .iter()
        .any(|refusal| refusal.contains("mitra_not_registered"))
    {
        "make the sample mitras with halobestie seed, or name a mitra with --mitra-phone"
    } else {
        "wait until the limit lets a mitra through, or name another with --mitra-phone"
    }
}

/// The tokens, or the refusal that makes it worth trying another phone.
async fn mitra_tokens(
    server: &Server,
    phone: &str,
    plot: &Plot,
) -> Result<std::result::Result<Value, Answer>> {
    let asked = request_code(server, phone, "mitra").await?;
    if asked.status == 429 {
        return Ok(Err(asked));
    }
    let asked = asked.expect(202)?;
    let code = match says(&asked, "/channel", BYPASS) {
        true => plot.code.clone(),
        false => sent_code(phone, plot.sandbox.as_ref()).await?,
    };
    let verified = verify(server, text(&asked, "/otp_id")?, &code).await?;
    if matches!(verified.code(), "mitra_not_registered" | "account_disabled") {
        return Ok(Err(verified));
    }
    let tokens = verified.expect(200)?;
    is(&tokens, "/user/role", "mitra")?;
    Ok(Ok(tokens))
}

async fn request_code(server: &Server, phone: &str, role: &str) -> Result<Answer> {
    let body = json!({"phone": phone, "role": role});
    server
        .send(Call::post("/api/auth/otp/request").body(body), None)
        .await
}

async fn verify(server: &Server, otp_id: &str, code: &str) -> Result<Answer> {
    let device = json!({"platform": "web", "name": "halobestie demo"});
    let body = json!({"otp_id": otp_id, "code": code, "device": device});
    server
        .send(Call::post("/api/auth/otp/verify").body(body), None)
        .await
}

/// The code that was sent to a phone, where that is the sandbox.
async fn sent_code(phone: &str, sandbox: Option<&Sandbox>) -> Result<String> {
    let Some(sandbox) = sandbox else {
        let advice = "name the sandbox with --sandbox, or start the server with \
            FAZPASS_ENABLED=false: the demo has no real phone";
        return Err(wrong(
            "a code that needs no phone",
            "a code sent to the phone",
            advice,
        ));
    };
    sandbox.code_for(phone).await
}

/// A valid Indonesian mobile number, far from the sample mitras'.
fn new_phone() -> String {
    let entropy = Entropy::system();
    format!(
        "+62812{}{:07}",
        1 + entropy.below(9),
        entropy.below(10_000_000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_phone_is_never_a_sample_mitras() {
        for _ in 0..100 {
            let phone = new_phone();
            assert_eq!(phone.len(), "+6281200000001".len());
            assert!(
                phone.starts_with("+62812") && !phone.starts_with("+628120"),
                "{phone}"
            );
        }
    }
}
