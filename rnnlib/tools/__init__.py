"""Small tools that know no network: whole files, parallel runs, memory, figures. Imports no other room."""
