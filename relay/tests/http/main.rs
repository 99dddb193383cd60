//! The relay's HTTP API from outside, over real connections, on SQLite and on a real mongod.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod account;
mod bad_input;
mod blobs;
mod devices;
mod directory;
mod enumeration;
mod faults;
mod generated;
mod lobby;
mod login;
mod names;
mod rates;
mod rename;
mod sessions;
mod signup;
mod vault;
mod world;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_relay::testing::{Mongod, mongo_missing};
use world::World;

/// One server for all tests that don't kill it, started by the first; ends with `main`.
static SERVER: Mutex<Option<Mongod>> = Mutex::new(None);

/// Runs a test in a runtime of its own, for so long at most.
fn within<F: Future<Output = ()> + Send + 'static>(seconds: u64, test: F) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(async {
        match tokio::time::timeout(Duration::from_secs(seconds), tokio::spawn(test)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(panicked)) => Err(Failed::from(panicked.to_string())),
            Err(_) => Err(Failed::from(format!("not done after {seconds} s"))),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    result
}

fn mongo_uri(database: &str) -> Result<String, Failed> {
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if server.is_none() {
        *server = Some(tokio::runtime::Runtime::new()?.block_on(Mongod::start()));
    }
    // MongoDB takes database names of up to 63 bytes.
    Ok(server.as_ref().unwrap().uri(&format!("{database:.60}")))
}

fn main() {
    let mut trials = Vec::new();
    macro_rules! both {
        ($($module:ident::$name:ident),* $(,)?) => { $(
            let full = concat!(stringify!($module), "::", stringify!($name));
            trials.push(Trial::test(format!("sqlite::{full}"), || {
                within(300, async { $module::$name(World::sqlite().await).await })
            }));
            trials.push(Trial::test(format!("mongo::{full}"), || {
                let uri = mongo_uri(stringify!($name))?;
                within(300, async move { $module::$name(World::mongo(uri).await).await })
            }).with_ignored_flag(mongo_missing().is_some()));
        )* };
    }
    macro_rules! alone {
        ($($module:ident::$name:ident),* $(,)?) => { $(
            trials.push(Trial::test(concat!(stringify!($module), "::", stringify!($name)), || {
                within(600, $module::$name())
            }));
        )* };
    }
    both![
        signup::seed_b01_an_account_needs_a_correct_code,
        signup::seed_b11_abandoned_sign_ups_give_their_name_back,
        signup::seed_b12_one_name_for_all_its_spellings,
        signup::seed_b17_what_the_authenticator_app_gets,
        signup::ten_wrong_codes_end_a_sign_up,
        signup::the_log_must_be_that_of_this_sign_up,
        signup::a_lost_confirmation_can_be_asked_for_again,
        login::seed_b07_a_code_works_once_and_tries_are_few,
        login::p9_of_64_at_once_one_gets_in,
        login::one_step_either_way,
        login::recovery_codes_open_when_nothing_else_does,
        login::device_proofs_count_once_and_only_for_their_device,
        login::a_known_device_has_its_own_budget,
        enumeration::seed_b15_known_and_unknown_names_get_the_same_answer,
        sessions::seed_b02_no_token_is_nobody,
        sessions::seed_b04_a_session_speaks_for_its_account_alone,
        sessions::seed_b09_one_token_per_device_and_log_out_revokes,
        sessions::seed_b14_live_accounts_are_counted,
        sessions::sessions_end_after_ten_days,
        sessions::seed_b08_the_database_holds_no_secret,
        vault::a_code_and_a_device_of_the_account_get_the_function_evaluated,
        vault::a_locked_device_knocks_and_has_few_tries_of_its_own,
        vault::what_is_no_question_uses_up_no_code,
        rename::another_name_and_the_one_before_is_held,
        rename::what_is_no_change_of_name,
        rename::of_two_who_want_a_name_one_has_it,
        account::seed_b18_a_second_authenticator_replaces_a_lost_phone,
        account::seed_b18_recovery_codes_are_renewed,
        account::seed_b18_an_account_is_deleted,
        account::wrong_codes_in_a_session_are_few,
        directory::key_packages_go_round,
        directory::what_is_no_publication,
        blobs::a_file_goes_up_and_comes_down,
        blobs::only_its_owner_changes_a_file,
        blobs::the_store_of_files_fails_and_recovers,
        devices::a_device_waits_is_added_and_is_known,
        devices::a_linked_device_has_its_vault_from_the_beginning,
        devices::a_revoked_device_is_put_out,
        devices::of_two_continuations_one_counts,
        devices::what_is_no_continuation,
        lobby::one_lobby_whoever_founds_it,
        lobby::a_dead_lobby_is_replaced_and_a_live_one_is_not,
        lobby::what_is_no_door_of_a_lobby,
        faults::the_store_fails_at_every_call_and_recovers,
        faults::an_answer_lost_on_its_way_from_the_store_locks_nobody_out,
    ];
    alone![
        blobs::files_have_limits,
        bad_input::seed_b03_bodies_are_typed,
        bad_input::seed_b10_nothing_ambient,
        bad_input::seed_b20_bodies_have_limits,
        bad_input::malformed_requests_are_problems,
        bad_input::openapi_describes_every_route,
        enumeration::p11_refusals_take_the_same_time,
        generated::p24_five_thousand_generated_requests,
        login::p9_thirty_days_of_guessing,
        login::p10_strangers_cannot_lock_the_owner_out,
        names::p20_of_ten_thousand_confusables_none_can_be_registered,
        rates::one_address_cannot_do_everything,
        rates::forwarded_addresses_count_behind_trusted_proxies_only,
        rates::silent_connections_are_closed_and_bounded,
        faults::what_is_in_the_way_of_a_start_is_named,
        faults::log_and_metrics_name_nobody,
    ];
    trials.push(
        Trial::test("mongo::faults::a_killed_mongod_is_told_and_recovered_from", || {
            within(300, faults::a_killed_mongod_is_told_and_recovered_from())
        })
        .with_ignored_flag(mongo_missing().is_some()),
    );
    if let Some(why) = mongo_missing() {
        eprintln!("ignored: {why}");
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(SERVER.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit();
}

/// What tests share between tasks.
type Shared<T> = Arc<T>;
