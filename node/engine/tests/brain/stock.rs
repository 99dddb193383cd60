use livechat_engine::{Input, limits};
use livechat_wire::http::KeyPackageStock;

use crate::rig::{Person, roomy};

#[test]
fn the_relay_is_kept_stocked_with_key_packages() {
    roomy(|| {
        let mut alice = Person::new("alice");
        assert_eq!(alice.keys.one_time.len(), limits::STOCK as usize);
        assert!(alice.keys.last_resort.is_some());
        let mut stock = |one_time, last_resort| {
            let effects = alice.takes(Input::Stock(KeyPackageStock { one_time, last_resort }));
            effects.publish_keys.map(|keys| (keys.one_time.len(), keys.last_resort.is_some()))
        };
        assert_eq!(stock(50, true), None);
        assert_eq!(stock(20, true), None, "enough");
        assert_eq!(stock(19, true), Some((31, false)), "filled up");
        assert_eq!(stock(20, false), Some((0, true)));
        alice.now += limits::LAST_RESORT_AGE + 1;
        let aged = alice.takes(Input::Stock(KeyPackageStock { one_time: 50, last_resort: true }));
        assert!(aged.publish_keys.is_some_and(|keys| keys.one_time.is_empty() && keys.last_resort.is_some()));
    });
}
