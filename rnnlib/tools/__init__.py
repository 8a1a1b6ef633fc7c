"""Small tools that know no network: whole files, parallel runs, memory, explorables. Imports no other room."""
