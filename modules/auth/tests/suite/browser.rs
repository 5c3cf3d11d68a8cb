//! What a browser keeps of the answers it gets: the calls of the tests of cookies.

use std::collections::BTreeMap;

use halobestie_testkit::{Call, TestApp, TestResponse};
use http::Method;

/// A page of the server's own.
pub(crate) const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// The cookies of a browser, which does not look at where they are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// One that has carried its sign-in over to a cookie, and forgotten the token.
    pub(crate) async fn signed_in(app: &TestApp, access_token: &str) -> Self {
        let mut browser = Self::default();
        let call = app.post("/api/auth/cookie").bearer(access_token);
        browser.keep(&call.send().await.expect(200));
        assert_eq!(browser.cookies.len(), 1);
        browser
    }

    /// A call by a page of ours.
    pub(crate) fn call(&self, app: &TestApp, method: Method, path: &str) -> Call {
        let call = self.navigate(app, method, path);
        call.header(SAME_ORIGIN.0, SAME_ORIGIN.1)
    }

    /// A call that says nothing of where it comes from.
    pub(crate) fn navigate(&self, app: &TestApp, method: Method, path: &str) -> Call {
        app.call(method, path).header("cookie", &self.header())
    }

    /// Asks who is signed in, and keeps what comes.
    pub(crate) async fn me(&mut self, app: &TestApp) -> TestResponse {
        let answer = self.call(app, Method::GET, "/api/auth/me").send().await;
        self.keep(&answer);
        answer
    }

    /// The `Cookie` header.
    pub(crate) fn header(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// Keeps and forgets as it is told.
    pub(crate) fn keep(&mut self, answer: &TestResponse) {
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
