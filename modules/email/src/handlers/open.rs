//! The page that a link leads to.
//!
//! It shows a button that opens the app with the token, and uses nothing up: mail scanners, previews and
//! browsers that read ahead all come by. Only the app's POST signs in.

use std::sync::Arc;

use halobestie_core::http::html::{escape, styled};
use halobestie_core::http::{Reply, Request};
use halobestie_core::language::Language;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::state::State;
use crate::token::Token;

/// Where links lead to.
pub(crate) const PATH: &str = "/api/auth/email/open";
/// The path in the app.
const APP_PATH: &str = "auth/email";

const STYLE: &str = include_str!("open.css");

/// What a link brings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OpenQuery {
    /// To be shown to `/api/auth/email/verify`.
    token: Option<String>,
}

/// The words of one language; `{product}` stands for the server's name.
struct Words {
    title: &'static str,
    text: &'static str,
    button: &'static str,
    broken: &'static str,
}

const INDONESIAN: Words = Words {
    title: "Masuk ke {product}",
    text: "Ketuk tombol ini untuk melanjutkan.",
    button: "Buka aplikasi",
    broken: "Tautan ini tidak lengkap. Salin seluruh tautan dari email, atau minta yang baru.",
};

const ENGLISH: Words = Words {
    title: "Sign in to {product}",
    text: "Tap the button to go on.",
    button: "Open the app",
    broken: "This link is not complete. Copy the whole link from the email, or ask for a new one.",
};

/// Open the app from an emailed link
///
/// A page with a button that opens the app (`APP_DEEP_LINK`) with the token. Looking at it uses nothing
/// up, so mail scanners and previews do no harm; whether the link is still good is not said here.
#[utoipa::path(
    operation_id = "email_open",
    get, path = "/api/auth/email/open", tag = "auth", params(OpenQuery),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 400, description = "A page that says that the link is not complete.",
            body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn open(state: Arc<State>, req: Request) -> Reply {
    let query: OpenQuery = req.query()?;
    let language = Language::accepted(req.header("accept-language").unwrap_or_default());
    let words = match language {
        Language::Indonesian => &INDONESIAN,
        Language::English => &ENGLISH,
    };
    // Read and written again, so that nothing but a token gets onto the page.
    let token = query.token.as_deref().and_then(Token::parse);
    let (status, content) = match token {
        Some(token) => {
            let link = state
                .server
                .app_link(&format!("{APP_PATH}?token={}", token.encode()));
            let (text, link, button) = (words.text, escape(&link), words.button);
            let content = format!("<p>{text}</p><p><a href=\"{link}\">{button}</a></p>");
            (StatusCode::OK, content)
        }
        None => (StatusCode::BAD_REQUEST, format!("<p>{}</p>", words.broken)),
    };
    let title = words.title.replace("{product}", &escape(state.product));
    let page = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{content}</main></body></html>\n",
        language.tag(),
    );
    Ok(styled(status, page, STYLE))
}
