"""The running operator: watches mark keys, a queue hands them to the controller, one app holds it together."""
