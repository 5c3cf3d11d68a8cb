//! Our end of the webhooks: answers what it is told to, and remembers what came.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// What came in once.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the receiver does with a delivery.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    Answer(u16),
    Hang,
}

#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    plan: Arc<Mutex<VecDeque<Does>>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// It does what is planned, and answers 200 when nothing is.
    #[expect(clippy::disallowed_methods, reason = "no part of a server")]
    pub(crate) async fn start(plan: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            plan: Arc::new(Mutex::new(plan.iter().copied().collect())),
            received: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let receiver = serving.clone();
                let service = service_fn(move |request| receiver.clone().take(request));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(tcp), service));
            }
        });
        receiver
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.received.lock().unwrap().push(Received {
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        let does = self.plan.lock().unwrap().pop_front();
        match does.unwrap_or(Does::Answer(200)) {
            Does::Answer(status) => {
                let response = Response::builder().status(status);
                Ok(response.body(Full::default()).unwrap())
            }
            Does::Hang => std::future::pending().await,
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}
