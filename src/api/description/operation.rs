//! The words in which a route is described, and what is true of many routes.

use serde_json::{Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{
    HttpMethod, Operation as Described, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AllOfBuilder, Schema};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ObjectBuilder, RefOr, Required};

use super::schemas::{named, text};
use crate::api::BASE;
use crate::api::problem::Kind;

/// A route, as it is being described.
#[derive(Clone)]
pub(super) struct Operation {
    method: HttpMethod,
    path: &'static str,
    section: &'static str,
    id: &'static str,
    summary: &'static str,
    about: &'static str,
    open: bool,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: Vec<(u16, Response)>,
    refusals: Vec<Kind>,
    events: Vec<Event>,
    curl: &'static str,
}

/// What a stream can tell: its name, whether it has an id, what it means, and its data's schema.
#[derive(Clone)]
pub(super) struct Event(
    pub(super) &'static str,
    pub(super) bool,
    pub(super) &'static str,
    pub(super) RefOr<Schema>,
);

/// A route at this path below `/api`. `id` names it for programs.
pub(super) fn route(
    method: HttpMethod,
    path: &'static str,
    section: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let changes = !matches!(method, HttpMethod::Get);
    let refusals = if changes { vec![Kind::NotAllowed] } else { Vec::new() };
    let parameters = path.split(['{', '}']).skip(1).step_by(2).map(path_parameter).collect();
    Operation {
        method,
        path,
        section,
        id,
        summary,
        about: "",
        open: false,
        parameters,
        body: None,
        answers: Vec::new(),
        refusals,
        events: Vec::new(),
        curl: "",
    }
}

impl Operation {
    /// What a client must know, as `CommonMark`.
    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Needs no session.
    pub(super) fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// Takes this in its query or its headers.
    pub(super) fn takes(
        mut self,
        place: ParameterIn,
        name: &str,
        required: bool,
        about: &str,
    ) -> Self {
        let required = if required { Required::True } else { Required::False };
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(about))
            .schema(Some(text("")));
        self.parameters.push(parameter.build());
        self
    }

    /// Takes a JSON object as its body.
    pub(super) fn takes_json(self, schema: impl Into<RefOr<Schema>>) -> Self {
        self.takes_body("", [("application/json", schema.into())])
    }

    /// Takes a body of one of these types.
    pub(super) fn takes_body<const N: usize>(
        mut self,
        about: &str,
        types: [(&str, RefOr<Schema>); N],
    ) -> Self {
        let about = Some(about).filter(|about| !about.is_empty());
        let body = RequestBodyBuilder::new().required(Some(Required::True)).description(about);
        let body = types.into_iter().fold(body, |body, (kind, schema)| {
            body.content(kind, ContentBuilder::new().schema(Some(schema)).build())
        });
        self.body = Some(body.build());
        self.refuses(&[
            Kind::MalformedRequest,
            Kind::RequestTimeout,
            Kind::TooLarge,
            Kind::UnsupportedMediaType,
        ])
    }

    /// Answers with this status and nothing else.
    pub(super) fn answers_nothing(self, status: u16, about: &str) -> Self {
        self.answers_with(status, ResponseBuilder::new().description(about))
    }

    /// Answers with JSON of this schema.
    pub(super) fn answers(
        self,
        status: u16,
        about: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let answer = ResponseBuilder::new().description(about);
        self.answers_with(status, answer.content("application/json", content))
    }

    /// Answers like this.
    pub(super) fn answers_with(mut self, status: u16, answer: ResponseBuilder) -> Self {
        self.answers.push((status, answer.build()));
        self
    }

    /// The answer described last has this header, too.
    pub(super) fn header(mut self, name: &str, about: &str) -> Self {
        if let Some((_, answer)) = self.answers.last_mut() {
            answer.headers.insert(name.into(), RefOr::T(header(about)));
        }
        self
    }

    /// Can refuse for these reasons, beside those that follow from what is said already.
    pub(super) fn refuses(mut self, kinds: &[Kind]) -> Self {
        self.refusals.extend(kinds);
        self
    }

    /// Tells these events.
    pub(super) fn tells(self, events: Vec<Event>) -> Self {
        Self { events, ..self }
    }

    /// The arguments of an example with curl: `$url` is the server, `$token` the session's.
    pub(super) fn curl(self, curl: &'static str) -> Self {
        Self { curl, ..self }
    }

    pub(super) fn path(&self) -> String {
        format!("{BASE}{}", self.path)
    }

    pub(super) fn method(&self) -> HttpMethod {
        self.method.clone()
    }

    pub(super) fn build(self) -> Described {
        let mut refusals = self.refusals;
        refusals.push(Kind::InternalError);
        if !self.open {
            refusals.push(Kind::SignInRequired);
        }
        if self.path.contains("{channel}") {
            refusals.extend([Kind::NoSuchChannel, Kind::NoSuchUser]);
        }
        let sample = json!([{ "lang": "Shell", "label": "curl", "source": self.curl }]);
        let mut extensions = ExtensionsBuilder::new().add("codeSamples", sample);
        if !self.events.is_empty() {
            let events: Vec<_> = self.events.iter().map(Event::json).collect();
            extensions = extensions.add("events", events);
        }
        let mut operation = OperationBuilder::new()
            .tag(self.section)
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(Some(self.about).filter(|about| !about.is_empty()))
            .request_body(self.body)
            .extensions(Some(extensions.build()));
        if self.open {
            // An empty one among them: a session may be sent, and none is needed.
            operation = operation.security(SecurityRequirement::default());
        }
        for parameter in self.parameters {
            operation = operation.parameter(parameter);
        }
        for (status, answer) in self.answers {
            operation = operation.response(status.to_string(), answer);
        }
        let mut statuses: Vec<_> = refusals.iter().map(|kind| kind.status().code).collect();
        statuses.sort_unstable();
        statuses.dedup();
        for status in statuses {
            let of_status = |kind: &&Kind| kind.status().code == status;
            let mut kinds: Vec<_> = refusals.iter().filter(of_status).copied().collect();
            kinds.sort_by_key(|kind| kind.slug());
            kinds.dedup();
            operation = operation.response(status.to_string(), problem_answer(status, &kinds));
        }
        operation.build()
    }
}

impl Event {
    fn json(&self) -> Value {
        json!({ "event": self.0, "has_id": self.1, "description": self.2, "data": self.3 })
    }
}

/// The refusal with this status, for one of these reasons.
pub(super) fn problem_answer(status: u16, kinds: &[Kind]) -> Response {
    let explained = kinds.iter().map(|kind| format!("- `{}`: {}", kind.slug(), kind.explanation()));
    let types = kinds.iter().map(|kind| format!("/problems/{}", kind.slug()));
    let narrowed = ObjectBuilder::new().property("type", text("").enum_values(Some(types)));
    let schema = AllOfBuilder::new().item(named("Problem")).item(narrowed);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let answer = ResponseBuilder::new()
        .description(explained.collect::<Vec<_>>().join("\n"))
        .content("application/problem+json", content);
    match status {
        401 => answer.header("WWW-Authenticate", header("`Bearer`.")),
        405 => answer.header("Allow", header("The methods that are taken here.")),
        416 => answer.header("Content-Range", header("`bytes */` and the file's length.")),
        429 | 503 => answer.header("Retry-After", header("How many seconds to wait.")),
        _ => answer,
    }
    .build()
}

fn header(about: &str) -> Header {
    let mut header = Header::new(text(""));
    header.description = Some(about.into());
    header
}

/// What a part of a path can be.
fn path_parameter(name: &str) -> Parameter {
    let about = match name {
        "channel" => {
            "A public channel's name; or `@` and a display name, for the direct conversation with \
             that user (oneself too: notes); or `id:` and a channel's id, for either. \
             Percent-encoded where it has characters that need it. To anybody but its two users a \
             direct conversation does not exist."
        }
        "id" => "The message's or the file's id: 1 to 64 of `A-Z a-z 0-9 _ -`.",
        "filename" => "What to call the file. Any name leads to it.",
        "reaction" => {
            "One emoji, or up to 16 visible characters of text without spaces at the ends. \
             Percent-encoded."
        }
        _ => "",
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(text("")))
        .build()
}
