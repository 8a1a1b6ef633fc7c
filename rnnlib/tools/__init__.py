"""Small tools that know no network: whole files, parallel runs, memory, names, figures. No other room."""
