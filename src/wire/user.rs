//! Users as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::UserId;
use crate::domain::names::DisplayName;
use crate::domain::user::{Person, User};

/// A user, as everybody sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The user's id, which a rename does not change.
    #[schema(value_type = String)]
    pub id: UserId,
    /// The present display name.
    #[schema(value_type = String)]
    pub display_name: DisplayName,
    /// Whether it is a program that speaks: a hook, or a user who holds a token that was made for a bot.
    pub bot: bool,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self { id: user.id.clone(), display_name: user.display_name.clone(), bot: user.bot }
    }
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self { id: user.id, display_name: user.display_name, bot: user.bot }
    }
}

impl From<&Person> for UserView {
    fn from(person: &Person) -> Self {
        (&*person.user()).into()
    }
}
