//! The pages' own files, compiled in. An address carries a mark of the contents, so that a browser may
//! keep a file for good.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use sha2::{Digest, Sha256};

use crate::state::State;

/// A file.
struct Asset {
    name: &'static str,
    content_type: HeaderValue,
    bytes: &'static [u8],
    mark: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let file = |name, content_type, bytes| Asset {
        name,
        content_type: HeaderValue::from_static(content_type),
        bytes,
        mark: mark(bytes),
    };
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    vec![
        file(
            "cc.css",
            "text/css; charset=utf-8",
            include_bytes!("../assets/cc.css").as_slice(),
        ),
        file("cc.js", SCRIPT, include_bytes!("../assets/cc.js")),
        file(
            "htmx.min.js",
            SCRIPT,
            include_bytes!("../assets/htmx.min.js"),
        ),
        file(
            "icon.svg",
            "image/svg+xml",
            include_bytes!("../assets/icon.svg"),
        ),
    ]
});

fn mark(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The address of a file.
pub(crate) fn address(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let mark = asset.map_or("", |asset| asset.mark.as_str());
    format!("/assets/{name}?v={mark}")
}

/// A file, for anybody: there is nothing in it that is not in the source.
pub(crate) async fn show(_: Arc<State>, req: Request) -> Reply {
    let name: String = req.param("file")?;
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(Problem::not_found)?;
    let body = Bytes::from_static(asset.bytes);
    let mut response = reply::bytes(StatusCode::OK, asset.content_type.clone(), body);
    let is_this_one = req.uri().query() == Some(&format!("v={}", asset.mark));
    let life = if is_this_one {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(life));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
