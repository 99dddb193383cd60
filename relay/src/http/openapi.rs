//! The OpenAPI document at `/v1/openapi.json`: gathered from the handlers, so that it can't be another API's.

use std::collections::BTreeMap;

use livechat_wire::http::Problem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, ToSchema};

/// What the document says beside the paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "LiveChat relay",
        description = "Accounts by TOTP, sessions, directory, sealed files. Binary fields are base64url without padding; times are \
                       Unix seconds. Unknown fields are refused. Sessions are bearer tokens; there are no cookies.",
        license(name = "AGPL-3.0-or-later")
    ),
    components(schemas(Problem)),
    modifiers(&Bearer)
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("session", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        }
    }
}

/// The failures that any operation may answer with, each a [`Problem`].
pub(crate) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const ALL: [(&str, &str); 13] = [
            ("400", "The request isn't one this version knows"),
            ("401", "No valid session, or name or code are wrong"),
            ("403", "Logged in, but not as a device of the account"),
            ("404", "No such thing, or not for you"),
            ("405", "Another method is needed"),
            ("409", "The name can't be had, the room for files is used up, or parts of a file came out of order"),
            ("410", "The pending sign-up is unknown or over"),
            ("413", "The body is over the limit"),
            ("415", "The body must be JSON, or octets where a part of a file is sent"),
            ("422", "The JSON has other fields than it should"),
            ("429", "Too many requests; see Retry-After"),
            ("500", "The relay's fault"),
            ("503", "The database is away or full; try again"),
        ];
        let problem = || Ref::from_schema_name(Problem::name());
        ALL.iter()
            .map(|(status, description)| {
                let content = ContentBuilder::new().schema(Some(problem())).build();
                let response =
                    ResponseBuilder::new().description(*description).content("application/json", content).build();
                ((*status).to_owned(), RefOr::T(response))
            })
            .collect()
    }
}
