//! The feed: asked for what is newer than what we have.
//!
//! `GET <feed>/<region>` with the `ETag` and `Last-Modified` of the last good answer. 304 says that it
//! still holds. Anything else than 200 with a forecast in it is a failure, and changes nothing.

use halobestie_core::outbound::reqwest::header::{
    ACCEPT, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use halobestie_core::outbound::reqwest::{self, StatusCode};
use halobestie_core::{BoxError, outbound};

use super::bulletin::{Bulletin, Nonsense};
use super::config::ForecastConfig;

/// A forecast is a few kilobytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A validator that is longer is not kept: the next answer is a whole one.
const VALIDATOR_BYTES_MAX: usize = 512;

/// What the feed said about the answer, to be shown to it the next time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// What the feed has.
#[derive(Debug)]
pub(super) enum News {
    /// What we have still holds.
    Unchanged,
    /// Another forecast.
    Forecast(Bulletin, Validators),
}

/// Why the feed gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error("the feed gives no complete answer")]
    Call(#[from] reqwest::Error),
    #[error("the feed answers {0}")]
    Status(StatusCode),
    #[error("the feed's answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    #[error(transparent)]
    Nonsense(#[from] Nonsense),
}

/// The feed.
pub(super) struct Feed {
    client: reqwest::Client,
    url: String,
}

impl Feed {
    pub(super) fn new(config: &ForecastConfig) -> Result<Self, BoxError> {
        let url = config.feed_url.as_deref();
        let url = url.ok_or("FORECAST_FEED_URL is not set")?;
        Ok(Self {
            client: outbound::client(config.deadlines())?,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Asks for a region.
    pub(super) async fn ask(&self, region: &str, known: &Validators) -> Result<News, FeedError> {
        let mut request = self
            .client
            .get(format!("{}/{region}", self.url))
            .header(ACCEPT, "application/json");
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, last_modified);
        }
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        match response.status() {
            // Whoever has shown nothing cannot be told that nothing has changed.
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(News::Unchanged),
            StatusCode::OK => {
                let validators = validators(response.headers());
                let bulletin = Bulletin::parse(&body(response).await?, region)?;
                Ok(News::Forecast(bulletin, validators))
            }
            status => Err(FeedError::Status(status)),
        }
    }
}

async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, FeedError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(FeedError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name: HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= VALIDATOR_BYTES_MAX).then(|| value.to_owned())
    };
    Validators {
        etag: text(ETAG),
        last_modified: text(LAST_MODIFIED),
    }
}
