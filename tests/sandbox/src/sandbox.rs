//! A running sandbox: its upstreams, each at a port of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::lifecycle::Lifecycle;

use crate::fazpass::{self, Fazpass};
use crate::google::{self, Google};
use crate::pages::Site;
use crate::upstream::{Front, Port, Upstream, taken};
use crate::xendit::{self, Courier, Post, Xendit};

/// Records of each kind that are kept, unless said otherwise.
const KEEP: usize = 5_000;

/// The upstreams while they run. They end when this is dropped.
pub struct Sandbox {
    /// Carries codes to phones.
    pub fazpass: Fazpass,
    /// Takes payments.
    pub xendit: Xendit,
    /// Carries pushes.
    pub google: Google,
    pages_url: String,
    lifecycle: Lifecycle,
}

impl Sandbox {
    /// A sandbox at free ports, with the system's clock.
    ///
    /// # Panics
    /// When there are no free ports.
    pub async fn start() -> Self {
        Self::with_clock(Clock::system()).await
    }

    /// A sandbox at free ports that lives by this clock: the one of the server under test.
    ///
    /// # Panics
    /// When there are no free ports.
    #[expect(clippy::expect_used, reason = "a test without ports cannot go on")]
    pub async fn with_clock(clock: Clock) -> Self {
        let builder = Self::builder().clock(clock);
        builder.start().await.expect("ports are free")
    }

    /// A sandbox with wishes.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where its pages are, and its control by JSON under `/_sandbox`.
    pub fn pages_url(&self) -> &str {
        &self.pages_url
    }

    /// The environment that points a server at Fazpass and Xendit. Google's needs a file: see
    /// [`Google::variables`].
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.fazpass.variables();
        variables.extend(self.xendit.variables());
        variables
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.lifecycle.hard().cancel();
    }
}

/// What may be wished of a sandbox.
pub struct Builder {
    clock: Clock,
    entropy: Entropy,
    keep: usize,
    host: IpAddr,
    ports: Option<u16>,
    fazpass: fazpass::Account,
    xendit: xendit::Account,
    project_id: String,
    pages_url: Option<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            entropy: Entropy::system(),
            keep: KEEP,
            host: Ipv4Addr::LOCALHOST.into(),
            ports: None,
            fazpass: fazpass::Account::default(),
            xendit: xendit::Account::default(),
            project_id: "halobestie-sandbox".to_owned(),
            pages_url: None,
        }
    }
}

impl Builder {
    /// The clock by which it lives: expiries, stamps, token lives. Waits on the wire are real time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The randomness of its ids, codes and keys.
    pub fn entropy(mut self, entropy: Entropy) -> Self {
        self.entropy = entropy;
        self
    }

    /// How many records of each kind are kept.
    pub fn keep(mut self, records: usize) -> Self {
        self.keep = records;
        self
    }

    /// Where it listens: the pages at this port, Fazpass, Xendit and Google at the three that follow.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.host = address.ip();
        self.ports = (address.port() != 0).then_some(address.port());
        self
    }

    /// Who may use Fazpass.
    pub fn fazpass(mut self, account: fazpass::Account) -> Self {
        self.fazpass = account;
        self
    }

    /// Who may use Xendit.
    pub fn xendit(mut self, account: xendit::Account) -> Self {
        self.xendit = account;
        self
    }

    /// The Firebase project.
    pub fn project_id(mut self, project_id: &str) -> Self {
        project_id.clone_into(&mut self.project_id);
        self
    }

    /// How browsers reach the pages, where that is not how we listen: through a forwarded port, say.
    pub fn pages_url(mut self, url: &str) -> Self {
        self.pages_url = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Starts it. Returns when every port is open.
    ///
    /// # Errors
    /// When a port is taken, or a key is of no shape that its upstream gives.
    pub async fn start(self) -> io::Result<Sandbox> {
        if !self.xendit.has_key_of_their_shape() {
            let message = "a secret key of Xendit begins with xnd_development_ or xnd_production_";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let lifecycle = Lifecycle::default();
        let pages = self.port(0)?;
        let pages_url = self.pages_url.clone();
        let pages_url = pages_url.unwrap_or_else(|| format!("http://{}", pages.address()));
        let fazpass = self.front(self.port(1)?, fazpass::CODES, self.make_fazpass());
        let xendit = self.make_xendit(pages_url.clone(), &lifecycle);
        let xendit = self.front(self.port(2)?, xendit::CODES, xendit);
        let port = self.port(3)?;
        let google = self.make_google(&port);
        let google = self.front(port, google::CODES, google);
        let site = Site {
            fazpass: Fazpass::new(fazpass.clone()),
            xendit: Xendit::new(xendit.clone()),
            google: Google::new(google.clone()),
        };
        let sandbox = Sandbox {
            fazpass: site.fazpass.clone(),
            xendit: site.xendit.clone(),
            google: site.google.clone(),
            pages_url,
            lifecycle: lifecycle.clone(),
        };
        fazpass.serve(&lifecycle).await;
        xendit.serve(&lifecycle).await;
        google.serve(&lifecycle).await;
        self.front(pages, &[], site).serve(&lifecycle).await;
        lifecycle.spawn("sandbox xendit", sandbox.xendit.clone().live());
        Ok(sandbox)
    }

    fn make_fazpass(&self) -> fazpass::Api {
        let (clock, entropy) = self.inputs();
        fazpass::Api::new(self.fazpass.clone(), clock, entropy, self.keep)
    }

    fn make_xendit(&self, pages: String, lifecycle: &Lifecycle) -> xendit::Api {
        let post = Post::new(lifecycle);
        let delivery = self.xendit.delivery.clone();
        let courier = Courier::new(post, delivery, self.inputs(), self.keep);
        let account = self.xendit.clone();
        xendit::Api::new(account, pages, courier, self.inputs(), self.keep)
    }

    fn make_google(&self, port: &Port) -> google::Api {
        let origin = format!("http://{}", port.address());
        google::Api::new(&self.project_id, &origin, self.inputs(), self.keep)
    }

    fn inputs(&self) -> (Clock, Entropy) {
        (self.clock.clone(), self.entropy.clone())
    }

    fn front<U: Upstream>(
        &self,
        port: Port,
        codes: &'static [&'static str],
        upstream: U,
    ) -> Arc<Front<U>> {
        let front = Front::new(upstream, port, codes, self.clock.clone(), self.keep);
        Arc::new(front)
    }

    fn port(&self, offset: u16) -> io::Result<Port> {
        let port = self.ports.map_or(0, |first| first.saturating_add(offset));
        let address = SocketAddr::new(self.host, port);
        Port::take(address).map_err(|error| taken(address, &error))
    }
}
