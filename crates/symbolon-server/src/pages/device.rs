//! What the list of devices calls a device.

use http::{HeaderMap, header};

/// The longest name in characters.
const LONGEST: usize = 64;

/// Browsers by a mark of their `User-Agent`, the imitated after their imitators.
const BROWSERS: [(&str, &str); 14] = [
    ("KAKAOTALK", "KakaoTalk"),
    ("NAVER(", "NAVER"),
    ("Whale/", "Whale"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems by a mark, the more telling first: an iPad may say that it is a Mac, Android that it is
/// Linux.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// A name such as `Firefox · Windows` or `curl 8.5.0` from `User-Agent`: at most 64 printable
/// characters, and never a proof of anything. None: the request does not say.
pub(crate) fn device_name(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let named = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} · {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        // No browser: a program, which says its name first.
        (None, _) => {
            let product = agent.split_ascii_whitespace().next()?;
            let name: String = product.replace('/', " ").chars().take(LONGEST).collect();
            Some(name)
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn devices_have_short_names() {
        let table = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox · Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari · macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16; SM-S931N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
                "Samsung Internet · Android",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Whale/4.34 Safari/537.36",
                "Whale · Windows",
            ),
            ("curl/8.5.0", "curl 8.5.0"),
            ("python-requests/2.32 extra", "python-requests 2.32"),
        ];
        for (agent, name) in table {
            let headers = HeaderMap::from_iter([(header::USER_AGENT, agent.parse().unwrap())]);
            assert_eq!(device_name(&headers).as_deref(), Some(name));
        }
        assert_eq!(device_name(&HeaderMap::new()), None);
        let long = HeaderMap::from_iter([(header::USER_AGENT, "x".repeat(500).parse().unwrap())]);
        assert_eq!(device_name(&long).unwrap().len(), LONGEST);
    }
}
