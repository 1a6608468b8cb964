"""Where the events of a run come from: a broker, or a recording of one."""
