//! `halobestie demo`: a customer and a mitra play the whole story against a running server.
//!
//! A client like any other: it knows addresses and the published contract, and nothing of the
//! server's insides. Every wait is bounded, and the first step that is wrong ends the story with what
//! was expected, what came and what to do.

mod address;
mod client;
mod fields;
mod narrator;
mod person;
mod socket;
mod story;
mod trouble;

use std::time::Duration;

use clap::Args;

use self::address::Address;
use self::narrator::Narrator;
use self::story::Plot;

/// How long any one thing may take: a call, a handshake, an event.
const PATIENCE: Duration = Duration::from_secs(10);

/// Play a whole customer and mitra story against a running server.
///
/// Two people sign in, find each other, chat over HTTP and WebSocket, lose a connection, come back
/// and say good-bye. Each line is a step that was checked, with the time it took. Exit code 0: all of
/// it worked; 1: a step was wrong, and the last lines say which and what to do.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  halobestie demo
      against the server that scripts/dev started
  halobestie demo --public http://127.0.0.1:3000 --second http://127.0.0.1:4000
      two servers on one Postgres and one Valkey: each person on their own
  halobestie demo --pause 30
      leaves half a minute in the middle of the chat, to stop Valkey by hand

It needs a server that takes the bypass code (FAZPASS_ENABLED=false), the sample mitras (halobestie \
seed) and payments off (XENDIT_ENABLED=false).")]
pub(super) struct DemoArgs {
    /// The server that the customer talks to.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    public: Address,

    /// The server that the mitra talks to [default: the same].
    #[arg(long, value_name = "URL")]
    second: Option<Address>,

    /// Sign the mitra in with this phone instead of one of the sample mitras'.
    #[arg(long, value_name = "PHONE")]
    mitra_phone: Option<String>,

    /// The code that signs in: the server's OTP_BYPASS_CODE.
    #[arg(long, default_value = "000000")]
    code: String,

    /// Wait this long in the middle of the chat, so that Valkey can be stopped by hand.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u64).range(..=600))]
    pause: u64,
}

/// Plays the story and prints it.
///
/// # Errors
/// The step that was wrong; its full account has been printed by then.
pub(super) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let plot = Plot {
        mitra_at: args.second.unwrap_or_else(|| args.public.clone()),
        customer_at: args.public,
        mitra_phone: args.mitra_phone,
        code: args.code,
        pause: Duration::from_secs(args.pause),
    };
    let mut narrator = Narrator::on_stdout();
    story::tell(&plot, &mut narrator).await
}
