#!/usr/bin/env python3
"""rpmdb.py FILE NAME:VERSION:RELEASE:ARCH... - a database of rpm in SQLite, as rpm writes it (docs/manual/format_header)"""
import sqlite3
import struct
import sys

TAGS = (1000, 1001, 1002, 1022)
STRING = 6


def header(words):
    entries = data = b""
    for tag, word in zip(TAGS, words):
        entries += struct.pack(">4I", tag, STRING, len(data), 1)
        data += word.encode() + b"\0"
    return struct.pack(">2I", len(words), len(data)) + entries + data


db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA journal_mode = WAL")
db.execute("CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
for package in sys.argv[2:]:
    db.execute("INSERT INTO Packages (blob) VALUES (?)", (header(package.split(":")),))
db.commit()
db.close()
