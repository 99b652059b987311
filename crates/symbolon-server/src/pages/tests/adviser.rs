use super::*;

#[tokio::test]
async fn the_adviser_answers_everybody_in_both_languages() {
    let site = Site::open().await;
    for (language, verdict, question, chosen) in [
        (
            "en",
            "a JWT in an HttpOnly cookie, an ended login refused within 2 s at worst",
            "Does it have to grow beyond one machine?",
            "recommended",
        ),
        (
            "ko",
            "JWT, HttpOnly 쿠키, 끝난 로그인은 늦어도 2초 안에 차단",
            "서버 한 대를 넘어 커져야 하나요?",
            "추천",
        ),
    ] {
        let mut browser = site.browser();
        browser
            .headers
            .insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(language));
        let page = browser
            .get("/adviser?platform=spa&scale=yes&end_within=2s&people=&theft=unknown")
            .await;
        assert_eq!(page.status, StatusCode::OK);
        for part in [verdict, question, chosen, "spa-jwt", "symbolon app add"] {
            assert!(page.html.contains(part), "{part}");
        }
        // What was answered stands in the form, and in the address of the chart.
        assert!(page.html.contains("<option value=\"spa\" selected>"));
        assert!(page.html.contains("value=\"2s\""));
        let chart =
            "/adviser/chart.svg?platform=spa&#38;scale=yes&#38;end_within=2s&#38;theft=unknown";
        assert!(page.html.contains(chart), "{}", page.html);
        // The table beside the chart has every option.
        assert_eq!(page.html.matches("<th scope=\"row\">").count(), 8);
        for (chart, width) in [
            ("chart", "width=\"740\""),
            ("chart-narrow", "width=\"340\""),
        ] {
            let path = format!("/adviser/{chart}.svg?platform=spa");
            assert!(page.html.contains(&format!("\"{path}&#38;scale=yes")));
            let chart = browser.get(&path).await;
            assert_eq!(chart.header("content-type"), "image/svg+xml");
            assert!(chart.html.starts_with("<svg") && chart.html.contains("<desc"));
            assert!(chart.html.contains(width), "{path}");
        }
    }
}

#[tokio::test]
async fn the_adviser_names_answers_that_are_none() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let page = browser
        .get("/adviser?platform=desktop&people=-5&colour=%3Cb%3Ered&sensitive=yes")
        .await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    for part in [
        "platform: this is not an answer. Allowed: web, spa, mobile, api, intranet",
        "people: this is not an answer. Allowed: 1 – 10000000000",
        "colour: there is no such fact",
        "value=\"-5\"",
        "aria-invalid=\"true\"",
        // What could be read is answered.
        "sensitive-session",
    ] {
        assert!(page.html.contains(part), "{part}: {}", page.html);
    }
    let planted = browser
        .get("/adviser?people=%22%3E%3Cscript%3E&%3Cscript%3E=1")
        .await;
    assert!(!planted.html.contains("\"><script>") && !planted.html.contains("<script>"));
}
