# shellcheck shell=bash
# Owns what only this family can say of its packages for a backup.

family_manifest() { :; }
