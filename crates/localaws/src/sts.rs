//! Who does STS say that the caller is? Every caller is the same user of the world's account, whatever the credentials.

use serde::Serialize;

use crate::action::Action;
use crate::error::ApiError;
use crate::query;
use crate::world::World;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IdentityResult<'a> {
    arn: String,
    user_id: &'static str,
    account: &'a str,
}

/// The `...Result` element of `GetCallerIdentity`.
pub(crate) fn caller_identity(world: &World) -> Result<String, ApiError> {
    let (arn, account) = (world.location.caller_arn(), world.location.account.as_str());
    query::result(Action::GetCallerIdentity, &IdentityResult { arn, user_id: "AIDALOCALAWSCALLER00", account })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    #[test]
    fn the_account_is_the_worlds() {
        let world = World::at(Location { account: "111122223333".to_owned(), ..Location::default() });
        assert_eq!(
            caller_identity(&world).unwrap(),
            "<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/local</Arn>\
             <UserId>AIDALOCALAWSCALLER00</UserId><Account>111122223333</Account></GetCallerIdentityResult>"
        );
    }
}
