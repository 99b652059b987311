//! What all pages share: words, who is signed in, and how a page is sent.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{language, return_to::LocalPath, words::Words};

/// Where in the site a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Nowhere in particular.
    None,
    /// My devices.
    Account,
    /// Users.
    Users,
    /// Apps.
    Apps,
    /// Session or JWT?
    Adviser,
}

/// Who the page knows the visitor to be.
#[derive(Clone, Debug)]
pub(crate) enum Visitor {
    /// Nobody.
    Stranger,
    /// The browser brought a console cookie that this page did not look behind: it can sign out.
    Perhaps,
    /// A person.
    Known {
        /// What they are called.
        name: String,
        /// Whether they may run the authority.
        admin: bool,
    },
}

/// A way to another part of the site.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) text: String,
    pub(crate) current: bool,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) t: Words,
    pub(crate) visitor: Visitor,
    pub(crate) section: Section,
    /// Where the language switch comes back to.
    pub(crate) here: LocalPath,
}

impl Page {
    /// A page for somebody of whom only the request is known.
    pub(crate) fn for_request(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE);
        // Only for showing a button: whether it is good is asked when it is used.
        let cookie = format!("{}=", symbolon_authority::Authority::CONSOLE);
        let perhaps = cookies
            .iter()
            .any(|value| value.to_str().is_ok_and(|text| text.contains(&cookie)));
        Self {
            t: Words::of(language::of(headers)),
            visitor: if perhaps {
                Visitor::Perhaps
            } else {
                Visitor::Stranger
            },
            section: Section::None,
            here: LocalPath::to("/"),
        }
    }

    /// Whether to show a way to sign out: on every page of somebody who is signed in (ASVS 7.4.4).
    pub(crate) fn may_sign_out(&self) -> bool {
        !matches!(self.visitor, Visitor::Stranger)
    }

    /// What the visitor is called.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.visitor {
            Visitor::Known { name, .. } => Some(name),
            Visitor::Stranger | Visitor::Perhaps => None,
        }
    }

    /// The parts of the site that are open to the visitor.
    pub(crate) fn links(&self) -> Vec<Link> {
        let link = |section, href, text| Link {
            href,
            text,
            current: self.section == section,
        };
        let account = || link(Section::Account, "/account", self.t.nav_account());
        match self.visitor {
            Visitor::Stranger | Visitor::Perhaps => Vec::new(),
            Visitor::Known { admin: false, .. } => vec![account()],
            Visitor::Known { admin: true, .. } => vec![
                account(),
                link(Section::Users, "/admin/users", self.t.nav_users()),
                link(Section::Apps, "/admin/apps", self.t.nav_apps()),
                link(Section::Adviser, "/adviser", self.t.nav_adviser()),
            ],
        }
    }
}

/// Sends a page under a policy that lets it load its own files and nothing else.
pub(crate) fn send(status: StatusCode, template: &impl Template) -> Response {
    send_leading_to(status, template, None)
}

/// Sends a page whose form leads, by redirects, to the origin `leads_to`: Chrome holds
/// `form-action` against every redirect after a POST.
pub(crate) fn send_leading_to(
    status: StatusCode,
    template: &impl Template,
    leads_to: Option<&str>,
) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, policy(leads_to)),
    ];
    (status, head, html).into_response()
}

/// A redirect after a POST, or to the sign-in.
pub(crate) fn see_other(to: &LocalPath) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.header())]).into_response()
}

fn policy(leads_to: Option<&str>) -> HeaderValue {
    let form_action = match leads_to {
        Some(origin) => format!("'self' {origin}"),
        None => "'self'".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    );
    HeaderValue::from_str(&policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_one_origin_that_a_form_leads_to() {
        assert!(
            policy(None)
                .to_str()
                .is_ok_and(|text| text.contains("form-action 'self';"))
        );
        let led = policy(Some("https://app.example.test"));
        assert!(
            led.to_str()
                .is_ok_and(|text| text.contains("form-action 'self' https://app.example.test;"))
        );
    }

    #[test]
    fn a_console_cookie_shows_the_way_out() {
        let with = |cookie: &'static str| {
            let headers =
                HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))]);
            Page::for_request(&headers).may_sign_out()
        };
        assert!(with("__Host-symbolon=sym_s_x"));
        assert!(with("a=b; symbolon=sym_s_x"));
        assert!(!with("a=b"));
    }
}
