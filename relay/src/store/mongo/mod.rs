//! MongoDB, replica set or sharded cluster: every write with `{w: "majority", j: true}`, reads from the majority.
//!
//! The driver's futures must not be dropped half-way (its connections then answer the wrong question), so every call
//! runs in a task of its own and callers wait for that, with a limit.

mod accounts;
pub mod blobs;
pub mod envelopes;
pub mod slots;

use std::future::Future;
use std::sync::Arc;

use mongodb::bson::{Document, doc};
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern, SelectionCriteria, ServerAddress, WriteConcern};
use mongodb::{Client, Database};

use super::{MongoUrl, OpenError, StoreError};
use crate::limits;

/// The database when the connection string names none.
pub const DATABASE: &str = "livechat";

/// A handle, cheap to clone.
#[derive(Clone)]
pub struct Mongo(Arc<Connected>);

struct Connected {
    client: Client,
    db: Database,
}

impl Mongo {
    /// Connects, checks that acknowledged writes will survive, and creates what indexes are missing.
    ///
    /// # Errors
    /// [`OpenError::MongoUrl`], [`OpenError::Unreachable`], [`OpenError::NotReplicaSet`] or what index creation says.
    pub async fn connect(url: &MongoUrl) -> Result<Self, OpenError> {
        let mut options = ClientOptions::parse(&url.0).await.map_err(OpenError::MongoUrl)?;
        options.app_name = Some("livechat-relay".to_owned());
        options.connect_timeout = Some(limits::MONGO_CONNECT);
        options.server_selection_timeout = Some(limits::MONGO_SELECT);
        options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(mongodb::options::ReadPreference::Primary));
        options.retry_writes = Some(true);
        let hosts = options.hosts.iter().map(ServerAddress::to_string).collect::<Vec<_>>().join(", ");
        let name = options.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
        let client = Client::with_options(options).map_err(OpenError::MongoUrl)?;
        let db = client.database(&name);
        let this = Self(Arc::new(Connected { client, db }));
        this.require_replica_set(hosts).await?;
        accounts::create_indexes(&this).await?;
        envelopes::create_indexes(&this).await?;
        slots::create_indexes(&this).await?;
        blobs::create_indexes(&this).await?;
        Ok(this)
    }

    /// The database, with the write and read concerns of this module's documentation.
    #[must_use]
    pub fn db(&self) -> &Database {
        &self.0.db
    }

    /// The client: for sessions and transactions.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Runs `call` in a task of its own and waits for it, at most [`limits::MONGO_CALL`]. A caller that is dropped or
    /// gives up leaves it running to its end.
    ///
    /// # Errors
    /// What `call` returns, or [`StoreError::Timeout`].
    pub async fn call<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(limits::MONGO_CALL, tokio::spawn(call)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panicked)) => Err(StoreError::Stopped),
            Err(_elapsed) => Err(StoreError::Timeout),
        }
    }

    async fn require_replica_set(&self, hosts: String) -> Result<(), OpenError> {
        let db = self.0.db.clone();
        let hello = self.call(async move { Ok(db.run_command(doc! { "hello": 1 }).await) }).await?;
        let hello: Document = match hello {
            Ok(hello) => hello,
            Err(source) => return Err(OpenError::Unreachable { hosts, source }),
        };
        // A mongos answers "isdbgrid"; what is behind it is made of replica sets.
        if hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|m| m == "isdbgrid") {
            return Ok(());
        }
        Err(OpenError::NotReplicaSet { hosts })
    }
}
