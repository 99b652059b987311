//! `/api/v1/advice`: session or JWT, for the application that the body tells of?

use axum::Json;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_adviser::{Answers, Fact, Facts, Lang, Report, Site, Stated};
use utoipa::{
    ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::AdditionalProperties,
    },
};

use crate::{
    api::{ShapeName, refusals::BadBody},
    body::JsonBody,
    pages::language,
    problem::{Kind, Problem},
};

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdviceAsked {
    /// What is known of the application; what is left out is unknown.
    #[schema(value_type = Option<FactsBody>)]
    facts: Option<Stated>,
    /// The language of the texts; English if not said. Refusals are in it, too, else in what `Accept-Language` asks for.
    lang: Option<LangName>,
    /// The client id for the settings; `my-app` if not said.
    app: Option<String>,
    /// The app's URL for the settings; `https://app.example.com` if not said.
    public_url: Option<String>,
    /// The authority's URL for the settings; `https://login.example.com` if not said.
    authority: Option<String>,
}

/// A language of texts.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LangName {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl From<LangName> for Lang {
    fn from(lang: LangName) -> Self {
        match lang {
            LangName::En => Self::En,
            LangName::Ko => Self::Ko,
        }
    }
}

/// Facts by their names.
// Made from the adviser's own table, so that the document lists exactly what is taken.
pub(crate) struct FactsBody;

impl utoipa::PartialSchema for FactsBody {
    fn schema() -> RefOr<Schema> {
        let mut facts = ObjectBuilder::new()
            .description(Some(
                "What is known of an application. Each fact may also be \"unknown\".",
            ))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for fact in Fact::ALL {
            let about = fact.about();
            let answer = match about.answers {
                Answers::Words(words) => {
                    let words = words.iter().copied().chain(["unknown"]);
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .enum_values(Some(words))
                }
                Answers::Number { least, most } => ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some(least))
                    .maximum(Some(most)),
                Answers::Time { .. } => ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some("^[0-9]+[smhd]?$"))
                    .examples([json!("10s")]),
            };
            let answer = answer.description(Some(about.en)).build();
            facts = facts.property(about.name, answer);
        }
        facts.build().into()
    }
}

impl ToSchema for FactsBody {
    fn name() -> std::borrow::Cow<'static, str> {
        "Facts".into()
    }
}

/// Advice: the position of the dials, why, and at what price.
#[derive(ToSchema)]
#[schema(as = Advice)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
pub(crate) struct AdviceBody {
    /// What was known.
    #[schema(value_type = FactsBody)]
    facts: (),
    /// What was not.
    unknown: Vec<String>,
    shape: ShapeName,
    /// `cookie` or `bearer`.
    carrier: String,
    /// `live`, `within(10s)` or `until_expiry`.
    freshness: String,
    /// `live` where single routes ask for more, else `none`.
    routes: String,
    access_token_seconds: u64,
    idle_seconds: u64,
    absolute_seconds: u64,
    /// The rules that decided, by dial, the heaviest first.
    reasons: Vec<ReasonBody>,
    /// The strongest counter-argument.
    against: ReasonBody,
    /// The smallest changes of facts that would turn a dial.
    flips_if: Vec<FlipBody>,
    /// Facts that contradict each other.
    contradictions: Vec<ContradictionBody>,
    /// What each way costs: `load`, `options` (each number with its unit and formula) and `figures`.
    #[schema(value_type = Object)]
    price: (),
    /// What the price assumes because it is not known.
    #[schema(value_type = Vec<Object>)]
    assumed: (),
    /// The points of the chart of cost against freshness.
    #[schema(value_type = Vec<Object>)]
    chart: (),
    /// `command`, `toml` and `examples`.
    #[schema(value_type = Object)]
    settings: (),
}

/// A rule that spoke.
#[derive(ToSchema)]
#[schema(as = Reason)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct ReasonBody {
    /// Its name, which never changes.
    #[schema(example = "spa-jwt")]
    id: String,
    /// The dial that it is about.
    dial: String,
    /// How much it weighs: 50 is a need, 100 cannot be otherwise, 0 always stands.
    weight: u8,
    text: String,
    /// Who says so.
    sources: Vec<String>,
}

/// A change of facts that would turn a dial.
#[derive(ToSchema)]
#[schema(as = Flip)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct FlipBody {
    dial: String,
    /// Where it would stand.
    to: String,
    changes: Vec<ChangeBody>,
}

/// One fact that would have to be otherwise.
#[derive(ToSchema)]
#[schema(as = Change)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct ChangeBody {
    fact: String,
    /// Null: unknown.
    from: Option<String>,
    to: String,
}

/// Facts that contradict each other.
#[derive(ToSchema)]
#[schema(as = Contradiction)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct ContradictionBody {
    id: String,
    facts: Vec<String>,
    /// What is wrong, and what was done about it.
    text: String,
}

/// Session or JWT, for this application? Open to everybody: it reads nothing and changes nothing.
#[utoipa::path(
    post, path = "/api/v1/advice", operation_id = "advise", tag = "advice",
    request_body = AdviceAsked,
    responses(
        (status = 200, description = "The advice", body = AdviceBody),
        BadBody,
    ),
)]
pub(crate) async fn advise(
    headers: HeaderMap,
    body: Result<JsonBody<AdviceAsked>, Problem>,
) -> Result<Json<Value>, Problem> {
    let reader = language::asked(&headers).map_or(Lang::En, Lang::from);
    let JsonBody(asked) = body.map_err(|problem| match reader {
        Lang::En => problem,
        Lang::Ko => problem.of_body_in_korean(),
    })?;
    let reader = asked.lang.map_or(reader, Lang::from);
    let refused = |detail: String| {
        let problem = Problem::with(Kind::BadRequest, detail);
        match reader {
            Lang::En => problem,
            Lang::Ko => problem.in_korean(),
        }
    };
    let facts = asked.facts.map_or(Ok(Facts::unknown()), Stated::facts);
    let facts = facts.map_err(|wrong| refused(format!("facts: {}", wrong.told(reader))))?;
    let text = |given: Option<String>, or: &str| given.unwrap_or_else(|| or.to_owned());
    let site = Site::new(
        &text(asked.authority, "https://login.example.com"),
        &text(asked.app, "my-app"),
        &text(asked.public_url, "https://app.example.com"),
    )
    .map_err(|wrong| refused(wrong.told(reader)))?;
    let lang = asked.lang.unwrap_or_default();
    let report = Report::new(&facts, &site, lang.into());
    // Texts, numbers and lists only: there is nothing that JSON cannot hold.
    Ok(Json(serde_json::to_value(report).unwrap_or_default()))
}
