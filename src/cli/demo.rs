//! `halobestie demo`: a customer and two mitras play the whole story against a running server.
//!
//! A client like any other: it knows addresses and the published contract, and nothing of the
//! server's insides. Every wait is bounded, and the first step that is wrong ends the story with what
//! was expected, what came and what to do.

mod address;
mod client;
mod fields;
mod narrator;
mod person;
mod sandbox;
mod socket;
mod story;
mod trouble;

use std::time::Duration;

use clap::Args;

use self::address::Address;
use self::narrator::Narrator;
use self::sandbox::Sandbox;
use self::story::Plot;
use super::dev;

/// How long any one thing may take: a call, a handshake, an event.
const PATIENCE: Duration = Duration::from_secs(10);

/// Play a whole customer and mitra story against a running server.
///
/// A customer and two mitras sign in, find each other and chat over HTTP and WebSocket; the customer
/// loses the connection and comes back, buys more time, is handed on to the second mitra, and says
/// good-bye. Each line is a step that was checked, with the time it took. Exit code 0: all of
/// it worked; 1: a step was wrong, and the last lines say which and what to do.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  halobestie demo
      against the server that scripts/dev started
  halobestie demo --public http://127.0.0.1:3000 --second http://127.0.0.1:4000
      two servers on one Postgres and one Valkey: the customer on one, the mitra on the other
  halobestie demo --pause 30
      leaves half a minute in the middle of the chat, to stop Valkey by hand

It needs the sample mitras (halobestie seed), and a server whose codes and invoices go to the sandbox, \
or that sends none (FAZPASS_ENABLED=false, XENDIT_ENABLED=false).")]
pub(super) struct DemoArgs {
    /// The server that the customer talks to.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    public: Address,

    /// The server that the mitra talks to [default: the same].
    #[arg(long, value_name = "URL")]
    second: Option<Address>,

    /// Sign the mitra in with this phone instead of one of the sample mitras'; given again: the second.
    #[arg(long, value_name = "PHONE")]
    mitra_phone: Vec<String>,

    /// The pages of the sandbox that codes and invoices go to [default: that of scripts/dev here].
    #[arg(long, value_name = "URL")]
    sandbox: Option<Address>,

    /// The code that signs in where none is sent: the server's OTP_BYPASS_CODE.
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
    let of_dev = || dev::sandbox_address()?.parse().ok();
    let sandbox = args.sandbox.or_else(of_dev);
    let plot = Plot {
        mitra_at: args.second.unwrap_or_else(|| args.public.clone()),
        customer_at: args.public,
        mitra_phones: args.mitra_phone,
        code: args.code,
        sandbox: sandbox.as_ref().map(Sandbox::at),
        pause: Duration::from_secs(args.pause),
    };
    let mut narrator = Narrator::on_stdout();
    story::tell(&plot, &mut narrator).await
}
