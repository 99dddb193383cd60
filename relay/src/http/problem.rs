//! Failures as [`Problem`]: one coarse code for programs, and for people what failed, why, and what to do next.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use livechat_wire::http::{Problem, ProblemCode, UsernameProblem};

use crate::accounts::{
    AuthenticatorError, BeginError, CodeError, ConfirmError, Fault, LobbyError, LogError, LogInError, LookupError,
    PendError, PublishError, RenameError, SessionError,
};
use crate::blobs::BlobError;

/// An answer that is a problem.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    problem: Problem,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: ProblemCode, message: impl Into<String>) -> Self {
        Self { status, problem: Problem { code, message: message.into(), retry_after: None } }
    }

    fn after(mut self, seconds: u64) -> Self {
        self.problem.retry_after = Some(seconds);
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ProblemCode::BadRequest, message)
    }

    pub(crate) fn too_many(retry_after: u64) -> Self {
        let message = format!("Too many tries. Wait {retry_after} seconds and try again.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, ProblemCode::TooManyRequests, message).after(retry_after)
    }

    pub(crate) fn busy() -> Self {
        unavailable("The relay has too much to do at the moment. Try again in a few seconds.")
    }

    pub(crate) fn too_slow() -> Self {
        unavailable("The relay could not answer in time. Try again in a few seconds.")
    }

    pub(crate) fn not_ready() -> Self {
        unavailable("The relay's database is away or full. Nothing is lost; try again in a few seconds.")
    }

    pub(crate) fn internal() -> Self {
        let message = "Something is wrong with the relay. Its operator finds more in its log.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ProblemCode::Internal, message)
    }

    pub(crate) fn unauthenticated() -> Self {
        let message = "There is no valid session. Log in with your username and a code, then try again.";
        Self::new(StatusCode::UNAUTHORIZED, ProblemCode::Unauthenticated, message)
    }

    fn credentials() -> Self {
        let message =
            "Username or code are wrong, or the code was used before. Check the name and wait for the next code.";
        Self::new(StatusCode::UNAUTHORIZED, ProblemCode::InvalidCredentials, message)
    }

    fn not_found(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, ProblemCode::NotFound, message)
    }

    pub(crate) fn no_pending_device() -> Self {
        Self::not_found("No device waits to be added. Begin on the new device; it waits for an hour.")
    }

    fn device_required() -> Self {
        let message = "Only a device of the account can do that. Log in from one, with its proof.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::DeviceRequired, message)
    }

    pub(crate) fn code(&self) -> ProblemCode {
        self.problem.code
    }
}

fn unavailable(message: &'static str) -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, ProblemCode::Unavailable, message).after(5)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self.problem)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.problem.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.problem.code == ProblemCode::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(crate) async fn no_such_route() -> Failure {
    Failure::not_found("There is nothing at this address. See /v1/openapi.json for what there is.")
}

pub(crate) async fn no_such_method() -> Failure {
    let message = "This address doesn't know that method. See /v1/openapi.json for what there is.";
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, ProblemCode::BadRequest, message)
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match &fault {
            Fault::Store(e) if e.is_outage() => {
                tracing::warn!(error = %e, "the store is unavailable");
                Self::not_ready()
            }
            _ => {
                tracing::error!(error = %fault, "internal error");
                Self::internal()
            }
        }
    }
}

fn username(problem: UsernameProblem) -> Failure {
    let message = match problem {
        UsernameProblem::TooShort => "A username needs at least two characters.",
        UsernameProblem::TooLong => "A username has at most 32 characters.",
        UsernameProblem::MixedScripts => {
            "A username has letters of one script only. Choose Latin or Cyrillic, not both."
        }
        UsernameProblem::Taken => "Somebody has this name, or one that looks the same.",
        UsernameProblem::Reserved => "This name is kept for the relay's operator.",
        _ => "A username has letters and digits, and single dots, dashes or underscores between them.",
    };
    Failure::new(StatusCode::CONFLICT, ProblemCode::UsernameUnavailable, message)
}

impl From<BeginError> for Failure {
    fn from(e: BeginError) -> Self {
        match e {
            BeginError::Name(problem) => username(problem),
            BeginError::Issuer(e) => {
                tracing::error!(error = %e, "check the relay's configured name");
                Self::internal()
            }
            BeginError::Fault(f) => f.into(),
        }
    }
}

const OVER: &str = "This sign-up is over: an hour has passed, or too many codes were wrong. Begin again.";

fn over(message: &'static str) -> Failure {
    Failure::new(StatusCode::GONE, ProblemCode::PendingExpired, message)
}

impl From<ConfirmError> for Failure {
    fn from(e: ConfirmError) -> Self {
        match e {
            ConfirmError::Over => over(OVER),
            ConfirmError::Code => Self::credentials(),
            ConfirmError::Fault(f) => f.into(),
            e => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<LogInError> for Failure {
    fn from(e: LogInError) -> Self {
        match e {
            LogInError::Credentials => Self::credentials(),
            LogInError::TooMany { retry_after } => Self::too_many(retry_after),
            LogInError::Fault(f) => f.into(),
            e @ LogInError::Vault(_) => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(e: SessionError) -> Self {
        match e {
            SessionError::Unauthenticated => Self::unauthenticated(),
            SessionError::NotFound => Self::not_found("Your account has no such session."),
            SessionError::Fault(f) => f.into(),
        }
    }
}

impl From<CodeError> for Failure {
    fn from(e: CodeError) -> Self {
        match e {
            CodeError::Code => Self::credentials(),
            CodeError::TooMany { retry_after } => Self::too_many(retry_after),
            CodeError::Gone => Self::unauthenticated(),
            CodeError::Fault(f) => f.into(),
        }
    }
}

impl From<AuthenticatorError> for Failure {
    fn from(e: AuthenticatorError) -> Self {
        match e {
            AuthenticatorError::Code(e) => e.into(),
            AuthenticatorError::Over => over("This set-up is over, or too many codes were wrong. Begin again."),
            AuthenticatorError::Issuer(e) => BeginError::Issuer(e).into(),
            e => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<LookupError> for Failure {
    fn from(e: LookupError) -> Self {
        match e {
            LookupError::NotFound => Self::not_found("Nobody here has that name. Check the spelling."),
            LookupError::Fault(f) => f.into(),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(e: BlobError) -> Self {
        let conflict = |code, message: String| Self::new(StatusCode::CONFLICT, code, message);
        match e {
            BlobError::NotFound => {
                Self::not_found("There is no such file here, or not any more: the relay keeps files for a while only.")
            }
            BlobError::Size => Self::bad_request("No padded file has that size."),
            BlobError::TooLarge => {
                let message = "The file is larger than what this relay keeps. Send a smaller one, or in pieces.";
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::TooLarge, message)
            }
            BlobError::Taken => Self::bad_request("Another file has or had that id. Choose a random one."),
            BlobError::Quota => conflict(
                ProblemCode::QuotaExceeded,
                "Your share of the relay's room for files is used up. Delete files you have sent, or wait until they \
                 expire."
                    .to_owned(),
            ),
            BlobError::OutOfOrder(next) => {
                conflict(ProblemCode::OutOfOrder, format!("Part {next} comes first. Ask how far the file is."))
            }
            BlobError::Length => Self::bad_request("The part has another length than its place in the file."),
            BlobError::Store(e) => Fault::Store(e).into(),
        }
    }
}

impl From<LobbyError> for Failure {
    fn from(e: LobbyError) -> Self {
        match e {
            LobbyError::Fault(f) => f.into(),
            e => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<PendError> for Failure {
    fn from(e: PendError) -> Self {
        match e {
            PendError::Gone => Self::unauthenticated(),
            PendError::Fault(f) => f.into(),
            e => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<LogError> for Failure {
    fn from(e: LogError) -> Self {
        match e {
            LogError::Gone => Self::unauthenticated(),
            LogError::Fault(f) => f.into(),
            LogError::DeviceRequired => Self::device_required(),
            LogError::Outdated => {
                let message = "Another device changed the account meanwhile. Read its log again, and continue that.";
                Self::new(StatusCode::CONFLICT, ProblemCode::Outdated, message)
            }
            e => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<RenameError> for Failure {
    fn from(e: RenameError) -> Self {
        match e {
            RenameError::Outdated => LogError::Outdated.into(),
            RenameError::Name(problem) => username(problem),
            RenameError::Code(e) => e.into(),
            RenameError::TooMany => {
                let message = "You have changed your name twice in thirty days. Names that you had are held for you that \
                               long; go back to one of them, or wait.";
                Self::bad_request(message)
            }
            e => Self::bad_request(sentence(&e)),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(e: PublishError) -> Self {
        match e {
            PublishError::DeviceRequired => Self::device_required(),
            PublishError::Gone => Self::unauthenticated(),
            PublishError::Fault(f) => f.into(),
            e => Self::bad_request(sentence(&e)),
        }
    }
}

/// An error as a sentence.
fn sentence(e: &dyn std::error::Error) -> String {
    let text = e.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}
