//! Which requests go where.

use manifest::schema::object;

use super::Rule;

object! {
    /// Rules for some hosts of some listeners.
    pub struct Route {
        /// Name, unique among the routes; default route-N, by position.
        name: Option<String> = "name".zero_is_unset();
        /// Names of the listeners; default: all of HTTP and HTTPS, or all where there is none of those.
        listeners: Vec<String> = "listeners";
        /// Host names that requests must be for, exact or with `*` as first label (for TLS: the name in the ClientHello); default: any.
        hostnames: Vec<String> = "hostnames";
        /// Rules; the most specific that matches is taken, whatever the order.
        rules: Vec<Rule> = "rules".required();
    }
}
