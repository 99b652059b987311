//! The few files that pages load: embedded, named by their content, cached for good.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;

use super::refusal;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

struct Asset {
    content_type: &'static str,
    content: Vec<u8>,
}

/// The files by the name under which they are served, and those names by the files' own.
struct Shelf {
    assets: HashMap<String, Asset>,
    names: HashMap<String, String>,
}

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let mut shelf = Shelf {
        assets: HashMap::new(),
        names: HashMap::new(),
    };
    for name in Files::iter() {
        let Some((stem, extension)) = name.rsplit_once('.') else {
            continue;
        };
        let content_type = match extension {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => continue,
        };
        let Some(file) = Files::get(&name) else {
            continue;
        };
        let [a, b, c, d, e, f, ..] = file.metadata.sha256_hash();
        let hash = URL_SAFE_NO_PAD.encode([a, b, c, d, e, f]);
        let served = format!("{stem}.{hash}.{extension}");
        shelf.assets.insert(
            served.clone(),
            Asset {
                content_type,
                content: file.data.into_owned(),
            },
        );
        shelf.names.insert(name.into_owned(), served);
    }
    shelf
});

/// The URL of a file in `assets/`. It changes with the content, so that it may be kept for good.
pub(crate) fn url(name: &str) -> String {
    let served = SHELF.names.get(name).map_or(name, String::as_str);
    format!("/assets/{served}")
}

/// `GET /assets/{name}`
pub(crate) async fn serve(headers: HeaderMap, Path(name): Path<String>) -> Response {
    // Also by its own name, for icons that are asked for by a fixed URL; that one is asked again.
    let lasting = SHELF.assets.contains_key(&name);
    let served = if lasting {
        Some(&name)
    } else {
        SHELF.names.get(&name)
    };
    let asset = served.and_then(|served| SHELF.assets.get(served));
    let Some(asset) = asset else {
        return refusal::problem(&headers, StatusCode::NOT_FOUND);
    };
    let cached = if lasting {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.content_type),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(cached)),
    ];
    (head, asset.content.as_slice()).into_response()
}

/// `GET /favicon.ico`: browsers ask for it on pages that are not ours, such as JSON.
pub(crate) async fn favicon() -> Response {
    let mark = HeaderValue::from_str(&url("mark.svg"));
    match mark {
        Ok(mark) => (StatusCode::SEE_OTHER, [(header::LOCATION, mark)]).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_served_under_its_hash_and_kept() {
        for (name, content_type) in [
            ("symbolon.css", "text/css; charset=utf-8"),
            ("symbolon.js", "text/javascript; charset=utf-8"),
            ("mark.svg", "image/svg+xml"),
        ] {
            let url = url(name);
            assert_ne!(url, format!("/assets/{name}"));
            let served = url.trim_start_matches("/assets/").to_owned();
            let response = serve(HeaderMap::new(), Path(served)).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(
                response
                    .headers()
                    .get(header::CONTENT_TYPE)
                    .map(HeaderValue::as_bytes),
                Some(content_type.as_bytes())
            );
            let cached = response
                .headers()
                .get(header::CACHE_CONTROL)
                .and_then(|value| value.to_str().ok());
            assert!(cached.is_some_and(|cached| cached.contains("immutable")));
        }
    }

    #[tokio::test]
    async fn nothing_else_is_served() {
        for name in ["../Cargo.toml", "", "symbolon.000000000000.css", "symbolon"] {
            let response = serve(HeaderMap::new(), Path(name.to_owned())).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
}
