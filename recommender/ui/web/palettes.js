// Inks by genre: ground top, ground bottom, main, second, shade, lettering. One film always gets the same tin of ink.

const INKS = {
  Drama: [
    "1d2a3a 0e1621 d9a441 5b7a94 2c4158 f4ead7",
    "e8dcc4 d9c7a3 a63d2f 2f3e46 c98b5a 1c1a17",
    "5a1f24 2f0f14 e8b48c 8f3a3a 3d1218 f7e6d4",
    "2f4a3f 16241f e3c58a 6d8f7a 1d322a f2ecd9",
    "cdbda9 ad9580 3b2a2a 7a4b3a e8ddcf 211715",
    "27213c 120e20 e07a5f 81a8a0 3a3157 f3e9dc",
    "d98e5f b4633a 2b1a2e f3dcc0 8a4327 24120c",
    "dfe0d6 c2c6ba 24424d c26a3d 8a9a95 142229",
  ],
  Comedy: [
    "f6c445 ee9f27 d7263d 1b3a6b fff3d6 2a1208",
    "f2856d e2583e fff1df 7b1e3a ffc857 2b0d12",
    "24807b 125450 ffe8b8 f2784f 0f4c4f fff8e7",
    "f3e3c3 e8cf9c e4572e 17607a f2b632 1e1a16",
    "8fc3e2 5a9bc9 fff4dc e94f37 1c3f63 0c1f33",
    "c93f4a 8f1f33 ffe3b0 f7b538 5f1024 fff3df",
    "e9e2f0 cbbfe0 5b3fa0 f2643d f6b93b 241640",
    "2f3e8f 1a2358 ffd25e ff7d61 4a5cc0 fff6e2",
    "b9d3a0 8fb473 20503c f05d3b f7ecc8 12291d",
  ],
  Action: [
    "c9331c 7d150d ffb627 2a0a06 ff7a3d fff1dc",
    "16181d 08090b ff5a1f ffb01f 3b3f48 f5efe2",
    "f2a71b d97d0d 1a1208 8c2f0d fff0cc 160d04",
    "1f3b57 0c1a2a ff6b35 7fb7d9 122a42 f5efe2",
    "3a3f2a 171a10 f4b942 d1552d 252a1a f5efdc",
  ],
  Adventure: [
    "e7b25c c9762f 7a2f1a 2c5a5e f7e3b5 2a1108",
    "1a6670 0b3641 f2c572 e4743b 12515c fdf3dc",
    "3c5233 1c2a18 e9c46a 8fae6b 26381f f6f0d8",
    "f0dfbd dcbf8a 1f6f78 c8553d 8a6a3b 23180c",
  ],
  Animation: [
    "5b4bd6 2f2391 ffd23f ff6b6b 8f83ff fff7e8",
    "0d7c92 074a5e ffe14d ff8a5c 5fd0d8 ffffff",
    "ffa3bf f2739b fff3f7 5b2a86 ffd166 3a0f3f",
    "ffd35c ffae34 ff5d5d 2b59c3 fff7da 2b1605",
  ],
  "Children's": [
    "8fd0f5 58a6e0 ffd54a ff6f61 ffffff 0e2a47",
    "a5d06a 6aae4a fff3b0 ff7043 2e6b1f 10300a",
    "ffc583 f79a4b fff4e0 d6336c 5c3d9e 3a1405",
    "e85d75 b83355 ffe9c9 ffc145 7a1a3c fff4e4",
  ],
  Crime: [
    "1a1a1c 0b0b0c e3b23c 7a1f1f 3a3a3f f3eee3",
    "7a1313 3f0808 f0e0c8 14100f b83227 f8ebd8",
    "2d3a35 131a17 c8b273 8b3a2b 1e2824 efe8d6",
    "e6dcc7 cbbd9e 14100f a11d1d 8a7d63 14100f",
  ],
  Documentary: [
    "e9e4d8 d6cfbe 1f2a30 c2452d 8a9aa0 171c1f",
    "20343b 0f1c21 e8e2d2 d8833b 3c5a63 f1ece0",
    "b53c26 7d2415 f3e9d8 1d1512 d9694d fdf3e4",
    "d8c48a bfa45e 22313a 8c3b24 efe3bd 1d1a10",
  ],
  Fantasy: [
    "2b1e5c 120b33 f1c75b 8f6bd1 4a3591 f7eed8",
    "0f4c4a 062523 e8d38a 3fa08f 0b3836 f3efd9",
    "5c2a5e 2a0f30 f2b5a0 b0629b 3e1a44 fbeadd",
    "e9d9b8 cfb583 5b2a6b 2d6a6a 9c7b45 2a1430",
  ],
  "Film-Noir": [
    "1c1c1e 050506 e9e6df 6b6b70 38383c f3f1ea",
    "d8d4c9 a9a59a 0d0d0f 55534d eeeae0 0d0d0f",
    "22303a 0a1015 dfe5e6 5d7480 14202a eef2f1",
  ],
  Horror: [
    "0f0d0e 000000 c1121f 5a0a10 2a2426 efe6da",
    "8f0f16 3d0508 0d0505 f2dfc8 5c080d f7e8d3",
    "1d2b1f 080f0a b7d46b 5b7a3a 122016 eef2d8",
    "d9d2c2 b9ae97 1a0d0c a3171c 7a6d58 1a0d0c",
    "2b1d33 0d0711 d9c3e8 7d3f8c 1b1022 f0e6f2",
  ],
  Musical: [
    "1b1033 0a0518 ffcf56 e63973 5a2ca0 fff3d9",
    "b3123e 640a26 ffd79a 2a0612 f0567a fff0dc",
    "0f5e5c 06302f ffd9a0 f26a4b 0a4543 fff2dc",
    "f2d9a0 e0b25c 8f1d3f 1d2f4a c9803a 2a0f18",
  ],
  Mystery: [
    "26334d 0d1424 e6cf8b 5a7396 182339 f0ead8",
    "3a2a45 160e1d d7b7e0 8a5a9a 281b31 f3e9f0",
    "25423f 0d1b1a d8c27a 4f817b 18302e efead6",
    "cbb994 a68f63 26334d 7a3b2e e9dcbc 1a1c24",
  ],
  Romance: [
    "f2c6c0 e39a96 b0243f fff3ea 7a1530 4a0c1f",
    "7a1530 3f0818 f7b5a7 d9485f 57102a fdeade",
    "f4e4d4 e6c8ae c8553d 7a3b56 f0a58f 3a1420",
    "3d3a66 1b1936 f6b8a8 c77f9e 2b2850 fceee4",
    "a8c3b4 7fa291 fff1e2 b4475a 3f6656 14261e",
  ],
  "Sci-Fi": [
    "071a2e 020812 3fd0e0 f25f3a 12406b e8f4f5",
    "1a0f3d 080418 ff4fa3 38d6e8 3a1f7a f7eafc",
    "e6e4dc c9c6ba e4572e 14202b 8c9aa3 10181f",
    "0d2b2a 041211 9ff2b4 2f9e7a 0f413d e6f7ea",
    "f07a3a c94e1a fff0d8 2a0d06 ffb169 240b05",
  ],
  Thriller: [
    "101418 030506 f2f0e8 d7263d 333a42 f2f0e8",
    "e4622e b5411a 14100f f6e7cf 7a1f0c 14100f",
    "0f3a4a 041820 f2c14e 3f8aa0 0a2a37 eef3ee",
    "e8e1d1 c9bfa7 101418 c1272d 8f8672 101418",
    "2c2140 0f0a1a ff6f59 8d7bd6 1d1530 f1ebf5",
  ],
  War: [
    "59603f 2b3020 e0cf9a b5482a 3d442b f3ecd4",
    "a33f24 5f1d0f f2dfb8 2a1a10 d9764a fbeed2",
    "cfc3a2 a99b74 2b2a1d 9c3b22 7d7350 201e14",
    "32404a 141c22 d9cfae b04a2e 222d35 efe9d8",
  ],
  Western: ["e8a04a c46a2a 7a2410 fbe3b0 4a1208 3a0e05", "b8452a 6f1f10 f6cf8a 2f0d08 e27a3f fdeccb", "efdcb4 d9b77a a84321 5a2a14 e0934a 36170a"],
};

// The genre that says most about a film leads its poster: a musical comedy looks like a musical.
const LEAD = [
  "Western",
  "Film-Noir",
  "Musical",
  "Documentary",
  "Animation",
  "Horror",
  "Sci-Fi",
  "War",
  "Fantasy",
  "Children's",
  "Mystery",
  "Crime",
  "Adventure",
  "Action",
  "Thriller",
  "Romance",
  "Comedy",
  "Drama",
];

function leads(genres) {
  const known = LEAD.filter((g) => genres.includes(g));
  return known.length ? known : ["Drama"];
}

function inks(genre, r) {
  const [top, bottom, main, second, shade, ink] = pick(r, INKS[genre])
    .split(" ")
    .map((hex) => `#${hex}`);
  return { top, bottom, main, second, shade, ink };
}
