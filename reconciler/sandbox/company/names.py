"""Names of made-up people, and how a name is written in an address."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_GIVEN: Final = (
    "Ada Adèle Aisha Akira Alba Aleksander Amara Anaïs Andrés Anika Anton Aoife Arjun Astrid "
    "Ayşe Beatriz Benjamin Bianca Björn Camille Carmen Chidi Chloé Ciarán Clara Daichi Dana "
    "Daniel Diego Dmitri Eleni Elif Elsa Emeka Emil Émilie Enzo Esra Farah Fatima Felix Fiona "
    "Freya Gabriel Giulia Grace Hamza Hana Hanna Haruto Hélène Hugo Ibrahim Ida Ikram Imani "
    "Inês Ingrid Isaac Isabel Ivan Jakub Jan Jasmin João Jonas Josefína Julia Kaito Karim "
    "Katarzyna Kenji Kofi Lara Lars Layla Leila Léo Liam Lina Linh Lucía Luka Magnus Maja "
    "Małgorzata Marco Maria Mateo Maya Mehmet Mei Mina Mohammed Nadia Naoki Natalia Ngozi Nia "
    "Nils Noah Nora Núria Oisín Oliver Olivia Omar Oskar Pablo Paola Petra Priya Rafael Rania "
    "Ravi Rosa Rui Sakura Samir Sanne Sara Selin Siobhán Sofía Søren Stefan Sven Tariq Tereza "
    "Thabo Theo Thu Tomasz Uma Valentina Vera Viktor Wanda Wei Xavier Yara Yasmin Yuki Yusuf "
    "Zahra Zanele Zoé Zsófia"
)
_FAMILY: Final = (
    "Abdi Achebe Adeyemi Ahmed Almeida Andersson Banerjee Bauer Becker Bergström Bernard Bianchi "
    "Botha Boucher Brown Byrne Campbell Castillo Chen Cohen Conti Costa Dahl Delgado Demir "
    "Diallo Dimitriou Dubois Dvořák Eriksen Evans Farouk Fernández Ferrari Fischer Fontaine "
    "Fujita García Ghosh González Grant Gruber Gupta Haddad Hansen Hassan Hernández Hoang "
    "Hoffmann Horvat Hughes Ibrahim Ito Ivanova Iyer Jansen Jensen Johansson Jones Kaya Keller "
    "Khan Kim Kimura Kovač Kowalska Krüger Kumar Laine Larsen Lê Lefebvre Lindqvist López Mäkelä "
    "Marino Martin Mbeki Mendes Meyer Mitchell Moreau Morales Müller Murphy Mwangi Nagy Nakamura "
    "Nguyen Nielsen Novák O'Brien O'Connor Oduya Okafor Olsen Osei Papadopoulos Patel Pereira "
    "Petrov Popescu Quinn Rahman Ramírez Reyes Ricci Roberts Rossi Roux Ryan Saito Salonen "
    "Santos Sato Schmidt Schneider Silva Singh Smith Sørensen Suzuki Szabó Takahashi Tanaka "
    "Taylor Thomas Torres Tran Tremblay Turner Valdés Varga Virtanen Vogel Wagner Walker Walsh "
    "Wang Weber Williams Wójcik Wong Yamamoto Yilmaz Young Zhang Zhou Zimmermann"
)
GIVEN: Final = tuple(_GIVEN.split())
FAMILY: Final = tuple(_FAMILY.split())

_LETTERS: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "đ": "d", "'": ""}
)
_OTHERS: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=1024)
def in_address(name: str) -> str:
    """Give *name* in the small letters and digits of an address; nothing of other scripts."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    letters = plain.encode("ascii", "ignore").decode().lower()
    return _OTHERS.sub("-", letters).strip("-")
