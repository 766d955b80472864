//! Deserialization of JSON bodies, with errors that name the field at fault.

use std::borrow::Cow;
use std::fmt;

use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::outcome::Outcome;
use rocket::request::Request;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::body::Body;
use super::input::{media_type, unsupported};
use super::problem::{Problem, guard_failure};

/// A guard for a body that is a JSON object with the fields of `T`. Unknown fields are ignored.
pub(super) struct JsonBody<T>(pub(super) T);

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for JsonBody<T> {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match read(request, data).await {
            Ok(body) => Outcome::Success(Self(body)),
            Err(problem) => Outcome::Error(guard_failure(request, problem)),
        }
    }
}

async fn read<T: DeserializeOwned>(request: &Request<'_>, data: Data<'_>) -> Result<T, Problem> {
    let json = media_type(request)?.filter(|kind| kind.is_json());
    json.ok_or_else(|| unsupported("application/json"))?;
    parsed(&Body::of(request, data).text().await?)
}

/// Parses a JSON object as a type. The problem names the field that is missing or of another type.
pub(super) fn parsed<T: DeserializeOwned>(body: &str) -> Result<T, Problem> {
    match serde_json::from_str(body) {
        Ok(Value::Object(fields)) => of_fields(fields),
        Ok(_) => Err(Problem::malformed("The body must be a JSON object.")),
        Err(error) => Err(Problem::malformed(format!("The body is not JSON: {error}."))),
    }
}

fn of_fields<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Problem> {
    let members = fields.into_iter().map(|(name, value)| (name.clone(), Member { name, value }));
    T::deserialize(MapDeserializer::new(members)).map_err(|fault| {
        let problem = Problem::malformed(fault.detail);
        fault.field.into_iter().fold(problem, Problem::in_field)
    })
}

/// A deserialization error, and the field at fault.
#[derive(Debug)]
struct Fault {
    field: Option<Cow<'static, str>>,
    detail: String,
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { field: None, detail: format!("The body is not as described: {message}.") }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { field: Some(field.into()), detail: format!("`{field}` is missing.") }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Fault {}

/// A deserializer of one field of an object, which knows the field's name for the error where its
/// value is of another type.
struct Member {
    name: String,
    value: Value,
}

impl Member {
    fn read<T>(self, read: impl FnOnce(Value) -> Result<T, serde_json::Error>) -> Result<T, Fault> {
        let Self { name, value } = self;
        read(value).map_err(|error| Fault {
            detail: format!("`{name}` is not as described: {error}."),
            field: Some(name.into()),
        })
    }
}

impl IntoDeserializer<'_, Fault> for Member {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Member {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.read(|value| value.deserialize_any(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.read(|value| value.deserialize_option(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.read(|value| value.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.read(|value| value.deserialize_newtype_struct(name, visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Body {
        name: String,
        #[serde(default)]
        topic: String,
        starred: Option<bool>,
        bell: Option<Bell>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Bell {
        Everything,
        Nothing,
    }

    fn body(value: Value) -> Result<Body, Option<String>> {
        parsed(&value.to_string()).map_err(|problem| problem.field.map(Cow::into_owned))
    }

    #[test]
    fn a_field_can_be_missing_where_the_type_says_so_and_any_other_can_be_there() {
        let least = Body { name: "a".into(), topic: String::new(), starred: None, bell: None };
        assert_eq!(body(json!({ "name": "a", "nonsense": [{ "x": 1 }] })), Ok(least));
        let most = json!({ "name": "a", "topic": "b", "starred": true, "bell": "nothing" });
        let all = Body {
            name: "a".into(),
            topic: "b".into(),
            starred: Some(true),
            bell: Some(Bell::Nothing),
        };
        assert_eq!(body(most), Ok(all));
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(body(json!({})), Err(Some("name".into())));
        assert_eq!(body(json!({ "name": 5 })), Err(Some("name".into())));
        assert_eq!(body(json!({ "name": null })), Err(Some("name".into())));
        assert_eq!(body(json!({ "name": "a", "topic": null })), Err(Some("topic".into())));
        assert_eq!(body(json!({ "name": "a", "starred": "yes" })), Err(Some("starred".into())));
        assert_eq!(body(json!({ "name": "a", "bell": "loud" })), Err(Some("bell".into())));
    }
}
